/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/json.h - JSON (RFC 8259): an index of its tokens, resumable at any byte; validated trees in the caller's
 * memory; exact numbers; strings.
 *
 * Text is UTF-8 of any alignment. It needs no padding, and nothing outside of it is read. Everything is reentrant, runs
 * on the calling thread, allocates nothing, and takes time linear in the text, whatever the text.
 */
#ifndef LANEWISE_JSON_H
#define LANEWISE_JSON_H

#include "base.h"
#include "utf8.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ index */

/*
 * The index of a text: the positions of
 *   - {}[]:, outside strings;
 *   - the quotes that begin and end strings;
 *   - backslashes within strings that begin an escape;
 *   - outside strings, the first byte of each run of other bytes that are no white space (space, tab, LF, CR).
 * Backslashes outside strings, an error in JSON, take a following quote with them too. On the way it is checked that the
 * text is UTF-8, that strings hold no bytes below 0x20, and that the last string ends. Grammar is not checked.
 *
 * The text may come in pieces cut anywhere, also through NDJSON or any other sequence of documents.
 *
 *     lanewise_json_index_state state = { 0 };
 *     for each piece:
 *         lanewise_json_index_feed(&state, piece, n_bytes, index, capacity, &n_index, &n_taken, &error);
 *     lanewise_json_index_finish(&state, &error);
 */
typedef struct lanewise_json_index_state {
	lanewise_utf8_state utf8;
	uint64_t n_bytes;                      /* fed so far */
	uint64_t failed_at;                    /* offset of the error, if there was one */
	uint8_t failed;                        /* 1 not UTF-8, 2 a control character in a string */
	uint8_t in_string, escaped, in_scalar; /* as after the last byte fed */
	uint8_t reserved[4];
} lanewise_json_index_state;

enum { LANEWISE_JSON_INDEX_CAPACITY = 64 };

/*
 * Indexes a piece: positions counted from its beginning, ascending, to `index`, and their number to `n_index`. Room for
 * n_bytes positions is always enough. With less, but at least LANEWISE_JSON_INDEX_CAPACITY, as many bytes are taken as
 * there is surely room for: call again with what is behind the `n_taken` bytes. At least one byte is taken.
 *
 * LANEWISE_ERROR_DATA: not UTF-8, or a control character in a string; the error's offset is that in the whole text, and
 * the index goes up to it, inclusively. Every further call returns the error again. LANEWISE_ERROR_ARGUMENT: a NULL
 * pointer, n_bytes over UINT32_MAX, or too small a capacity (for n_bytes < LANEWISE_JSON_INDEX_CAPACITY, n_bytes will
 * do).
 */
LANEWISE_API lanewise_status lanewise_json_index_feed(lanewise_json_index_state *state, const char *text,
                                                      size_t n_bytes, uint32_t *index, size_t capacity, size_t *n_index,
                                                      size_t *n_taken, lanewise_error *error);

/*
 * The same as bits, which is quicker where positions are not needed one by one: bit i % 64 of bits[i / 64] tells whether
 * byte i of the piece is indexed. There are (n_bytes + 63) / 64 words, zeros behind the piece and behind an error, and the
 * piece is always taken as a whole. Both functions may be used for the pieces of one text. Errors as above.
 */
LANEWISE_API lanewise_status lanewise_json_index_bits(lanewise_json_index_state *state, const char *text,
                                                      size_t n_bytes, uint64_t *bits, lanewise_error *error);

/* LANEWISE_ERROR_DATA if the text ended within a string or a character, or there was an error before. */
LANEWISE_API lanewise_status lanewise_json_index_finish(const lanewise_json_index_state *state, lanewise_error *error);

/* ------------------------------------------------------------------- tree */

enum {
	LANEWISE_JSON_NULL = 0,
	LANEWISE_JSON_FALSE = 1,
	LANEWISE_JSON_TRUE = 2,
	LANEWISE_JSON_NUMBER = 3,
	LANEWISE_JSON_STRING = 4,
	LANEWISE_JSON_ARRAY = 5,
	LANEWISE_JSON_OBJECT = 6
};

enum {
	LANEWISE_JSON_NAME = 1,    /* a string that is the name of a member: the next node is the member's value */
	LANEWISE_JSON_ESCAPES = 2, /* a string that holds escapes */
	LANEWISE_JSON_INTEGER = 4, /* a number without fraction and exponent */
	LANEWISE_JSON_NUMBERS = 8  /* an array of numbers without nodes for them: see LANEWISE_JSON_NUMBER_ARRAYS */
};

/*
 * A value or a member's name. Nodes are in the order of the text, so an array or object is followed by what it holds:
 * its first element or name is the next node, and behind an element comes nodes[its next]. They end at the container's
 * own `next`.
 */
typedef struct lanewise_json_node {
	uint32_t offset;  /* of the value's first byte: the quote of a string, the bracket of a container */
	uint32_t n_bytes; /* of the value as written, with quotes or brackets */
	uint32_t next;    /* the number of the first node behind this one and everything in it */
	uint8_t type;     /* LANEWISE_JSON_NULL ... OBJECT */
	uint8_t flags;    /* LANEWISE_JSON_NAME ... INTEGER */
	uint16_t reserved;
} lanewise_json_node;

/*
 * What RFC 8259 leaves open, and what nodes there are. Without flags, a byte order mark and \u escapes of surrogates that
 * do not come in pairs are errors. Numbers may have any size: whether one fits is asked when it is decoded. Names may
 * occur more than once.
 */
enum {
	LANEWISE_JSON_ALLOW_BOM = 1,             /* U+FEFF before the value is passed over */
	LANEWISE_JSON_ALLOW_LONE_SURROGATES = 2, /* such an escape is taken; it decodes to U+FFFD */

	/*
	 * An array of at least one number, and of nothing else, becomes a single node, flagged LANEWISE_JSON_NUMBERS, with no
	 * nodes for its elements; lanewise_json_f32_array and the like read them from the text. Made for long arrays, such as
	 * embeddings, which then cost next to nothing but the reading. Validation alone has no nodes and ignores it.
	 */
	LANEWISE_JSON_NUMBER_ARRAYS = 4
};

typedef struct lanewise_json_options {
	size_t struct_size; /* sizeof(lanewise_json_options) */
	uint32_t flags;     /* LANEWISE_JSON_ALLOW_... */
	uint32_t max_depth; /* arrays and objects within each other; 0 is 1024 */
} lanewise_json_options;

/* Nodes that no text of n_bytes bytes exceeds, valid or not; SIZE_MAX is never needed. `options` may be NULL. */
LANEWISE_API size_t lanewise_json_nodes_bound(size_t n_bytes, const lanewise_json_options *options);

/*
 * Checks that the text is one JSON value with nothing but white space around, and writes its nodes, the value itself
 * first, and their number to `n_nodes`. `options` may be NULL.
 *
 * LANEWISE_ERROR_DATA: not JSON; the error says what is wrong, and the offset is that of the first byte that cannot be
 * where it is (of the character or escape it is in, if there is one; of a number or word at its first byte; n_bytes if the
 * text ends too early). LANEWISE_ERROR_CAPACITY: more than `capacity` nodes. LANEWISE_ERROR_TOO_LARGE: n_bytes over
 * UINT32_MAX. LANEWISE_ERROR_ARGUMENT: a NULL pointer, unknown flags.
 */
LANEWISE_API lanewise_status lanewise_json_parse(const char *text, size_t n_bytes, const lanewise_json_options *options,
                                                 lanewise_json_node *nodes, size_t capacity, size_t *n_nodes,
                                                 lanewise_error *error);

/*
 * NDJSON (JSON lines): a text of values, each on a line of its own. A line ends at LF, CR LF or the text's end; lines of
 * white space are passed over.
 */
typedef struct lanewise_json_line {
	uint64_t begin;   /* of the line in the text; nodes' offsets and error_at count from here */
	uint32_t n_bytes; /* without the line's end */
	int32_t status; /* LANEWISE_OK, or LANEWISE_ERROR_DATA: this line is not JSON, see error_at, and has no nodes */
	uint64_t error_at;
	uint64_t first_node, n_nodes; /* of its value, in the array of all */
} lanewise_json_line;

/*
 * Parses line after line into `nodes` and `lines`, as many as there is room for; their number goes to `n_lines`, the bytes
 * gone through to `n_taken`: call again with what is behind. What is wrong with one line is told there and hinders no
 * other; for the text of the error, parse the line alone.
 *
 * LANEWISE_ERROR_CAPACITY: there is no room for the first line's nodes, or none for a line (lanewise_json_nodes_bound of the
 * longest line is enough). LANEWISE_ERROR_TOO_LARGE: the first line has over UINT32_MAX bytes.
 * LANEWISE_ERROR_ARGUMENT: as from lanewise_json_parse. Nothing is taken then.
 */
LANEWISE_API lanewise_status lanewise_json_parse_lines(const char *text, size_t n_bytes,
                                                       const lanewise_json_options *options, lanewise_json_node *nodes,
                                                       size_t node_capacity, lanewise_json_line *lines,
                                                       size_t line_capacity, size_t *n_lines, size_t *n_taken);

enum { LANEWISE_JSON_MAX_VALIDATED_DEPTH = 8192 };

/*
 * The same check without a tree, in constant memory. Errors as from lanewise_json_parse, except that there is no
 * capacity to exceed; LANEWISE_ERROR_ARGUMENT also for a max_depth over LANEWISE_JSON_MAX_VALIDATED_DEPTH.
 */
LANEWISE_API lanewise_status lanewise_json_validate(const char *text, size_t n_bytes,
                                                    const lanewise_json_options *options, lanewise_error *error);

/*
 * The same for a text of any length in pieces cut anywhere; offsets are those in the whole text. Nothing is kept of the
 * pieces.
 *
 *     validator = lanewise_json_validator_begin(scratch, NULL);
 *     for each piece:
 *         lanewise_json_validator_feed(validator, piece, n_bytes, &error);
 *     lanewise_json_validator_finish(validator, &error);
 */
typedef struct lanewise_json_validator lanewise_json_validator;

/* Bytes of scratch for one text under way; below 2048. */
LANEWISE_API size_t lanewise_json_validator_scratch_size(void);

/* In `scratch`, aligned as by malloc. NULL if it is not or is NULL, or the options are not those of lanewise_json_validate. */
LANEWISE_API lanewise_json_validator *lanewise_json_validator_begin(void *scratch,
                                                                    const lanewise_json_options *options);

/*
 * LANEWISE_ERROR_DATA: no JSON begins like this; every further call returns the error again. It may come later than the byte
 * at its offset, but is the one lanewise_json_validate has for the whole text. LANEWISE_ERROR_ARGUMENT: a NULL pointer.
 */
LANEWISE_API lanewise_status lanewise_json_validator_feed(lanewise_json_validator *validator, const char *text,
                                                          size_t n_bytes, lanewise_error *error);

/* LANEWISE_ERROR_DATA if the text is not whole, or there was an error before. */
LANEWISE_API lanewise_status lanewise_json_validator_finish(lanewise_json_validator *validator, lanewise_error *error);

/* ---------------------------------------------------------------- numbers */

/*
 * A number of a parsed text: `text` is the one parsed, `node` its node. Integers are exact, floats the nearest value to
 * the number as written, ties to even, however many digits it has.
 *
 * LANEWISE_ERROR_ARGUMENT: the node is no number, or for i64 and u64 one with a fraction or exponent.
 * LANEWISE_ERROR_TOO_LARGE: it is beyond the type; f64 and f32 then write the infinity. -0 is 0 as an integer.
 */
LANEWISE_API lanewise_status lanewise_json_i64(const char *text, const lanewise_json_node *node, int64_t *value);
LANEWISE_API lanewise_status lanewise_json_u64(const char *text, const lanewise_json_node *node, uint64_t *value);
LANEWISE_API lanewise_status lanewise_json_f64(const char *text, const lanewise_json_node *node, double *value);
LANEWISE_API lanewise_status lanewise_json_f32(const char *text, const lanewise_json_node *node, float *value);

/*
 * The elements of an array of numbers, nodes[array], to values[0 ...), their number to `n_values`. They are read from the
 * text, whether or not there are nodes for them.
 * LANEWISE_ERROR_ARGUMENT: no array, or an element is no number, for i64 no integer. LANEWISE_ERROR_CAPACITY: more than
 * `capacity`. LANEWISE_ERROR_TOO_LARGE: an element is beyond the type. `n_values` becomes the number written before.
 */
LANEWISE_API lanewise_status lanewise_json_f64_array(const char *text, const lanewise_json_node *nodes, size_t array,
                                                     double *values, size_t capacity, size_t *n_values);
LANEWISE_API lanewise_status lanewise_json_f32_array(const char *text, const lanewise_json_node *nodes, size_t array,
                                                     float *values, size_t capacity, size_t *n_values);
LANEWISE_API lanewise_status lanewise_json_i64_array(const char *text, const lanewise_json_node *nodes, size_t array,
                                                     int64_t *values, size_t capacity, size_t *n_values);

/* ---------------------------------------------------------------- strings */

/*
 * The string of a node, escapes decoded, to out[0 ...) and its size to `n_out`; it may hold NUL. node->n_bytes - 2 is
 * always room enough, and the fastest; anything may be written to what is left of it. LANEWISE_ERROR_ARGUMENT: no string.
 * LANEWISE_ERROR_CAPACITY: more than `capacity` bytes.
 */
LANEWISE_API lanewise_status lanewise_json_string(const char *text, const lanewise_json_node *node, char *out,
                                                  size_t capacity, size_t *n_out);

/* The number of the value of the last member of that name in the object nodes[object]; SIZE_MAX if there is none. */
LANEWISE_API size_t lanewise_json_member(const char *text, const lanewise_json_node *nodes, size_t object,
                                         const char *name, size_t n_name);

/*
 * Text to the inside of a JSON string: quotes, backslashes and bytes below 0x20 are escaped, the latter as \b \t \n \f
 * \r or \u00XX; everything else stays as it is. Returns the size; 6 * n_bytes is always room enough, and the fastest;
 * anything may be written to what is left of it. If `capacity` is less than the size, nothing meaningful is in `out`.
 */
LANEWISE_API size_t lanewise_json_escape(const char *text, size_t n_bytes, char *out, size_t capacity);

/* ----------------------------------------------------------------- repair */

/* What an edit of a repair did. */
enum {
	LANEWISE_JSON_EDIT_PROSE = 1,     /* text around the value taken out: fences, sentences, a second value */
	LANEWISE_JSON_EDIT_COMMENT = 2,   /* a comment taken out */
	LANEWISE_JSON_EDIT_QUOTE = 3,     /* a quote made a double one, added, or escaped within a string */
	LANEWISE_JSON_EDIT_COMMA = 4,     /* a comma added or taken out */
	LANEWISE_JSON_EDIT_COLON = 5,     /* a colon added, or something else made one */
	LANEWISE_JSON_EDIT_BRACKET = 6,   /* a bracket added, replaced or taken out */
	LANEWISE_JSON_EDIT_WORD = 7,      /* a word made null, true or false */
	LANEWISE_JSON_EDIT_NUMBER = 8,    /* a number as JSON writes it */
	LANEWISE_JSON_EDIT_VALUE = 9,     /* a missing value or name put in */
	LANEWISE_JSON_EDIT_ESCAPE = 10,   /* a control character, escape or byte within a string made valid */
	LANEWISE_JSON_EDIT_JOIN = 11,     /* strings joined that stood one behind the other, with or without a + */
	LANEWISE_JSON_EDIT_ELLIPSIS = 12, /* an ellipsis taken out */
	LANEWISE_JSON_EDIT_END = 13 /* the end of a text cut off: what could not be kept, and open brackets closed */
};

/*
 * text[offset, offset + n_bytes) became out[out_offset, out_offset + n_out); either may be empty. Edits ascend and do not
 * overlap, and what is between them was copied.
 */
typedef struct lanewise_json_edit {
	uint64_t offset, n_bytes;
	uint64_t out_offset, n_out;
	uint32_t kind; /* LANEWISE_JSON_EDIT_... */
	uint32_t reserved;
} lanewise_json_edit;

typedef struct lanewise_json_repair_result {
	size_t n_out;   /* bytes of the repaired text, also if they did not fit; 0 if there are no edits */
	size_t n_edits; /* also if they did not fit; 0: the text is valid as it is, and nothing was written */
} lanewise_json_repair_result;

/*
 * Whose conventions a repair follows where there is more than one. DEFAULT is what the description of lanewise_json_repair
 * says. The others differ from it in this, and follow their models in no more:
 *
 *     text                          DEFAULT       JSON_REPAIR        JSONREPAIR
 *     {"a":}                        {"a":null}    {"a":""}           {"a":null}
 *     {"a":1,"b":                   {"a":1}       {"a":1,"b":""}     {"a":1,"b":null}
 *     {"a":1,"b  and {"a":1,"b"     {"a":1}       {"a":1}            {"a":1,"b":null}
 *     [tr                           [true]        ["tr"]             ["tr"]
 *     [NaN, Infinity]               null          null               "NaN", "Infinity"
 *     [undefined]                   null          "undefined"        null
 *     [nil, inf]                    null          "nil", "inf"       "nil", "inf"
 *     [007]                         "007"         7                  "007"
 *     ["a" + "b"]                   ["ab"]        ["a\" + \"b"]      ["ab"]
 *     {"a":1} and {"b":2}           {"a":1}       [{"a":1},{"b":2}]  {"a":1}
 *     the same on two lines         {"a":1}       [{"a":1},{"b":2}]  [{"a":1},{"b":2}]
 *     no array or object at all     a string      ""                 a string
 *
 * JSON_REPAIR is Python's json_repair (which writes NaN, and an array only of values that differ in structure), JSONREPAIR
 * the npm package jsonrepair. VICTOR is the agent framework Victor's and repairs three things: single quotes, the words True,
 * False and None, and commas before closing brackets. A text that is no JSON then is LANEWISE_ERROR_DATA, and nothing
 * is guessed.
 */
enum {
	LANEWISE_JSON_DIALECT_DEFAULT = 0,
	LANEWISE_JSON_DIALECT_JSON_REPAIR = 1,
	LANEWISE_JSON_DIALECT_JSONREPAIR = 2,
	LANEWISE_JSON_DIALECT_VICTOR = 3
};

typedef struct lanewise_json_repair_options {
	size_t struct_size; /* sizeof(lanewise_json_repair_options) */
	uint32_t flags;     /* LANEWISE_JSON_ALLOW_... */
	uint32_t max_depth; /* as in lanewise_json_options */
	uint32_t dialect;   /* LANEWISE_JSON_DIALECT_... */
	uint32_t reserved;  /* 0 */
} lanewise_json_repair_options;

/* A capacity for `out` that always suffices for a text of n_bytes bytes; SIZE_MAX if there is none. */
LANEWISE_API size_t lanewise_json_repair_bound(size_t n_bytes);

/*
 * Makes JSON of what language models write for it. A valid text is left alone, which takes no longer than to validate
 * it. From others, one pass makes a text that lanewise_json_parse accepts with the same options:
 *   - the first array or object that looks like one is the value, from within the first fence (```) that holds one if
 *     the text does not begin with it; fences and prose around it are taken out;
 *   - quotes may be ', `, \" or typographic; a quote within a string that no name, value or end can follow is escaped;
 *   - names and strings may lack their quotes; strings in a row joined by + become one;
 *   - True, False, None, undefined, NaN, Infinity and the like become true, false and null; numbers such as .5, 5., +5
 *     are rewritten;
 *   - commas, colons, values and brackets are added where they lack, and taken out where they are too many;
 *   - comments (//, #, / * * /) and ellipses are taken out; control characters, escapes and bytes within strings that
 *     are not allowed are escaped or become U+FFFD;
 *   - where the text ends too early, an unfinished string is kept and a name without a value left out; brackets are
 *     closed.
 * A text without array or object becomes a scalar or, if it is none, a string; an empty one null. Arrays and objects
 * deeper than max_depth (at most LANEWISE_JSON_MAX_VALIDATED_DEPTH) end the value as if the text ended there.
 *
 * `edits` may be NULL if `edit_capacity` is 0; edits that do not fit are counted. LANEWISE_ERROR_CAPACITY: `out` is too
 * small; result->n_out is what it takes, and what is in `out` means nothing. Other errors as from
 * lanewise_json_validate; LANEWISE_ERROR_DATA from LANEWISE_JSON_DIALECT_VICTOR alone, its offset is that in what was
 * repaired, and what is in `out` means nothing. `out` must not overlap `text`.
 */
LANEWISE_API lanewise_status lanewise_json_repair(const char *text, size_t n_bytes,
                                                  const lanewise_json_repair_options *options, char *out,
                                                  size_t capacity, lanewise_json_edit *edits, size_t edit_capacity,
                                                  lanewise_json_repair_result *result, lanewise_error *error);

/* ------------------------------------------------------------------- find */

typedef struct lanewise_json_span {
	size_t offset, n_bytes;
} lanewise_json_span;

/*
 * The JSON arrays and objects in a text of any kind, the outermost ones, in order and without overlap. The text is read
 * from left to right: what fails to be JSON at one place still gives the arrays and objects whole within it. It need be
 * UTF-8 within what is found only.
 *
 * `options` may be NULL; max_depth may not exceed 1024, and within deeper brackets another search begins.
 * LANEWISE_ERROR_CAPACITY: more than `capacity`; `spans` has the first of them, `n_found` the number of all. n_bytes / 2
 * is always room enough. LANEWISE_ERROR_ARGUMENT: a NULL pointer, unknown options.
 */
LANEWISE_API lanewise_status lanewise_json_find(const char *text, size_t n_bytes, const lanewise_json_options *options,
                                                lanewise_json_span *spans, size_t capacity, size_t *n_found,
                                                lanewise_error *error);

/*
 * What stands within a code fence of Markdown (CommonMark 4.5): text[offset, offset + n_bytes), without the last line's end.
 * Its language is text[language, language + n_language), the first word behind the opening marks.
 */
typedef struct lanewise_json_fence {
	size_t offset, n_bytes;
	size_t language, n_language;
	uint32_t closed; /* 0: the text ends before the fence does */
	uint32_t reserved;
} lanewise_json_fence;

/*
 * The fences of a text, in order: lines of three or more ` or ~ behind at most three spaces open them, and such of the same
 * mark, at least as many and nothing else, close them. Fences of lists and quotations, which are indented further, are not
 * found. LANEWISE_ERROR_CAPACITY: more than `capacity`; `fences` has the first of them, `n_found` the number of all.
 * n_bytes / 4 + 1 is always room enough. LANEWISE_ERROR_ARGUMENT: a NULL pointer.
 */
LANEWISE_API lanewise_status lanewise_json_fences(const char *text, size_t n_bytes, lanewise_json_fence *fences,
                                                  size_t capacity, size_t *n_found);

/* ---------------------------------------------------------------- partial */

/*
 * The value of a text that is still arriving, tool-call arguments say: after every piece, what there is so far.
 *
 *     partial = lanewise_json_partial_begin(scratch, n_scratch, NULL);
 *     for each piece:
 *         lanewise_json_partial_feed(partial, piece, n_bytes, &error);
 *         lanewise_json_partial_view(partial, &view);
 *     lanewise_json_partial_finish(partial, &error);
 *
 * An unfinished string is there as far as it has come, up to a whole character or escape. A member is there once its value
 * has begun to be. Words, and numbers, which might go on, are there when something stands behind them. Options change that.
 * The time for a piece depends on the piece, that for a view on the depth (and, with unfinished numbers or escapes, on the
 * size of the one under way), not on what has come before.
 */
typedef struct lanewise_json_partial lanewise_json_partial;

enum {
	LANEWISE_JSON_PARTIAL_NUMBERS = 1,      /* unfinished numbers are there as far as they are numbers */
	LANEWISE_JSON_PARTIAL_WHOLE_STRINGS = 2 /* strings are there when they have ended */
};

typedef struct lanewise_json_partial_options {
	size_t struct_size; /* sizeof(lanewise_json_partial_options) */
	uint32_t flags;     /* LANEWISE_JSON_PARTIAL_... */
	uint32_t max_depth; /* 0 is 1024 */
	size_t max_bytes;   /* of the whole text; 0 is 1 MiB */
} lanewise_json_partial_options;

/* Valid until the next call with the same `lanewise_json_partial`. text[0, n_bytes) is JSON and nodes its tree. */
typedef struct lanewise_json_view {
	const char *text;
	size_t n_bytes;
	const lanewise_json_node *nodes;
	size_t n_nodes;    /* 0: no value has begun */
	uint32_t complete; /* whether it is the whole value */
	uint32_t reserved;
} lanewise_json_view;

/* Bytes of scratch; SIZE_MAX if max_bytes and max_depth are too large. `options` may be NULL. */
LANEWISE_API size_t lanewise_json_partial_size(const lanewise_json_partial_options *options);

/* In the caller's memory, aligned as by malloc. NULL if it is too small or the options are unknown. */
LANEWISE_API lanewise_json_partial *lanewise_json_partial_begin(void *scratch, size_t n_scratch,
                                                                const lanewise_json_partial_options *options);

/*
 * LANEWISE_ERROR_DATA: no JSON begins like this; the offset is that of the byte in the whole text at which that shows.
 * LANEWISE_ERROR_CAPACITY: more than max_bytes; nothing of the piece is taken. Every further call returns the error
 * again; the view stays that of what came before.
 */
LANEWISE_API lanewise_status lanewise_json_partial_feed(lanewise_json_partial *partial, const char *text,
                                                        size_t n_bytes, lanewise_error *error);

LANEWISE_API void lanewise_json_partial_view(lanewise_json_partial *partial, lanewise_json_view *view);

/* LANEWISE_ERROR_DATA if the text is not whole. */
LANEWISE_API lanewise_status lanewise_json_partial_finish(lanewise_json_partial *partial, lanewise_error *error);

/* ------------------------------------------------------------------ paths */

/* A step of a path: into an array by index, into an object by the name names[offset, offset + n_bytes). */
typedef struct lanewise_json_step {
	uint32_t offset, n_bytes;
	uint32_t index;      /* UINT32_MAX: none */
	uint32_t only_index; /* not a name as well */
} lanewise_json_step;

/*
 * Reads a path into steps. Empty, it is the value itself; if it begins with /, it is a JSON pointer (RFC 6901; "-" finds
 * nothing); else names with . between them and indexes in [], choices[0].delta.content say, names without . and [.
 * `names` has room for n_bytes bytes; n_bytes is always enough as a capacity too.
 *
 * LANEWISE_ERROR_ARGUMENT: no path (the offset is that in the path), or a NULL pointer. LANEWISE_ERROR_CAPACITY: more
 * than `capacity` steps.
 */
LANEWISE_API lanewise_status lanewise_json_path(const char *path, size_t n_bytes, lanewise_json_step *steps,
                                                size_t capacity, size_t *n_steps, char *names, lanewise_error *error);

/* The node that the steps lead to from nodes[node]; SIZE_MAX if there is none. Of equal names the last counts. */
LANEWISE_API size_t lanewise_json_follow(const char *text, const lanewise_json_node *nodes, size_t node,
                                         const lanewise_json_step *steps, size_t n_steps, const char *names);

/* ---------------------------------------------------------------- writing */

/*
 * A valid text without white space (indent 0) or with a line for each name and element, indented by `indent` spaces (at
 * most 16) for each level. Strings and numbers stay as they are written; a byte order mark goes. Without indent, n_bytes
 * is always room enough, and `out` may be `text`; else they must not overlap.
 *
 * Errors as from lanewise_json_validate; LANEWISE_ERROR_CAPACITY: `n_out` is the room it takes.
 */
LANEWISE_API lanewise_status lanewise_json_format(const char *text, size_t n_bytes,
                                                  const lanewise_json_options *options, uint32_t indent, char *out,
                                                  size_t capacity, size_t *n_out, lanewise_error *error);

enum { LANEWISE_JSON_NUMBER_BYTES = 32 };

/*
 * A number with the fewest digits that read back as the same value (-0 as -0), without NUL; returns the size, 0 for NaN
 * and infinities, which JSON has not. The locale does not matter.
 */
LANEWISE_API size_t lanewise_json_write_f64(double value, char out[LANEWISE_JSON_NUMBER_BYTES]);
LANEWISE_API size_t lanewise_json_write_f32(float value, char out[LANEWISE_JSON_NUMBER_BYTES]);

#ifdef __cplusplus
}
#endif

#endif
