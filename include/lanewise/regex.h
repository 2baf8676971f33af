/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/regex.h - an engine for the regular expressions in rules for secrets (lanewise/secrets.h): PCRE2. It is a
 * library of its own, liblanewise_regex, which needs libpcre2-8; where that was not found when it was built, there is no
 * engine.
 *
 *     lanewise_secrets_options options = { .struct_size = sizeof options, .regex = lanewise_regex_pcre2() };
 *
 * Expressions are Perl's as PCRE2 has them, and match bytes: there are no characters of UTF-8, `.` is one byte but a line
 * feed, \w and so on are of ASCII, and (*UTF) and (*UCP) are refused. Any bytes may stand in a text. Lines end at line
 * feeds, unless the expression begins with (*CRLF) or the like.
 *
 * They are compiled to machine code where PCRE2 can (its JIT), which has memory of its own from the system; everything else
 * comes from the allocator. Nothing is allocated while texts are searched: the scratch grows by some 670 KB, of which only
 * what goes back far without the JIT, or beyond its stack of 32 KB, touches most. Windows are searched in a copy, since
 * the JIT's code reads a few bytes beside what it is given.
 *
 * Limits. From each place of a window where a match may begin, which are those up to the anchor, an expression may go back
 * some 2^23 times divided by their number, but 2^14 times at least; and it may use 320 KiB to remember where to. What needs
 * more is undecided. A candidate mostly takes a microsecond or less. But going back once may read all of the window, by a
 * reference to a group (\1) or a run that gives nothing back (.*+), so that expressions made for it take a second for each
 * candidate with the default window and the JIT, and a minute with the largest: use no rules of people you do not trust.
 * Findings are the same without the JIT, but for what is undecided: it counts otherwise.
 */
#ifndef LANEWISE_REGEX_H
#define LANEWISE_REGEX_H

#include "secrets.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The engine, which lives as long as the process and may be shared; NULL if this build has none. */
LANEWISE_API const lanewise_regex_engine *lanewise_regex_pcre2(void);

/*
 * What the engine is: "PCRE2 10.42 2022-12-11 with JIT", or "none in this build". Writes at most `n_bytes` bytes including the
 * NUL and returns the length of the whole text without it, so a result >= n_bytes means that it was cut; `text` may be
 * NULL if n_bytes is 0.
 */
LANEWISE_API size_t lanewise_regex_about(char *text, size_t n_bytes);

#ifdef __cplusplus
}
#endif

#endif
