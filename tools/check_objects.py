#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the library's objects may hold, checked on the objects themselves.

One binary runs on every CPU only if code for a tier stays in that tier's objects. This looks at what the compiler
made: the instructions, the symbols and the sections of every object, and the dynamic section of the shared library.

Instructions are judged by the assembler: an object is disassembled, and each distinct instruction is assembled again
with only the extensions of its tier allowed. So there is no list of mnemonics here to fall behind. Instructions that
look alike in two encodings (vmovups as VEX or EVEX) are told apart by their first byte.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

# What the assembler may accept in a tier's objects (cmake/tiers.cmake has the same sets as compiler flags).
AVX2 = "+avx2+fma+f16c+bmi+bmi2+lzcnt+popcnt+movbe+pclmul"
AVX512_CLX = AVX2 + "+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx512_vnni"
AVX512 = AVX512_CLX + "+avx512ifma+avx512vbmi+avx512_vbmi2+avx512_bitalg+avx512_vpopcntdq+gfni+vpclmulqdq"
ARCHITECTURES = {
    "x86": {
        "baseline": "generic64",
        "scalar": "generic64",
        "avx2": "generic64" + AVX2,
        "avx512_clx": "generic64" + AVX512_CLX,
        "avx512": "generic64" + AVX512,
        "avx512_bf16": "generic64" + AVX512_CLX + "+avx512_bf16",
        # The NEON tiers on x86 are emulated and built for tests alone.
        "neon": "generic64+avx2+fma+popcnt",
        "neon_dot": "generic64+avx2+fma+popcnt",
    },
    "aarch64": {
        "baseline": "armv8-a",
        "scalar": "armv8-a",
        "neon": "armv8-a",
        "neon_dot": "armv8.2-a+dotprod",  # the assembler knows the extension only beside ARMv8.2
        "neon_bf16": "armv8.2-a+bf16",
    },
}

# Instructions outside their tier's set that are safe, by group and mnemonic.
EXCEPTIONS = {
    # Runs only after the OSXSAVE bit was seen.
    ("baseline", "xgetbv"),
    # On CPUs without BMI1 this runs as bsf, which gives the same for every operand but 0; compilers rely on that.
    ("baseline", "tzcnt"),
    ("scalar", "tzcnt"),
    ("neon", "tzcnt"),
    ("neon_dot", "tzcnt"),
}
# First bytes of VEX and EVEX instructions in 64-bit mode. XOP (0x8f) shares its byte with pop and has the assembler.
VEX, EVEX = {0xC4, 0xC5}, {0x62}
LEGACY_PREFIXES = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3}

# What tier code may call: the C library's block operations, which compilers insert by themselves, and lanewise.
ALLOWED_CALLS = re.compile(r"lanewise_\w+|mem(cpy|move|set|cmp)|bcmp|_GLOBAL_OFFSET_TABLE_|__stack_chk_\w+|__assert_fail")

# The one file with a constructor.
CONSTRUCTOR_FILE = "dispatch.c.o"
ALLOWED_LIBRARIES = re.compile(r"libc\.so\.6|libc\.musl-\w+\.so\.1|ld-linux-\w+(-\w+)?\.so\.\d")
# Parts that are libraries of their own, with one header each and more needs.
PARTS = {
    "parallel.h": re.compile(ALLOWED_LIBRARIES.pattern + r"|liblanewise\.so\.\d+|libgomp\.so\.1|libomp\.so\.5|libhwloc\.so\.\d+"),
    "regex.h": re.compile(ALLOWED_LIBRARIES.pattern + r"|liblanewise\.so\.\d+|libpcre2-8\.so\.0"),
}


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


class Checker:
    def __init__(self, architecture, prefix=""):
        self.architecture = architecture
        self.prefix = prefix
        self.faults = []

    def tool(self, name, *arguments):
        return run(self.prefix + name, *arguments, env={**os.environ, "LC_ALL": "C"})

    def fault(self, where, what):
        self.faults.append(f"{where}: {what}")

    # ------------------------------------------------------------ instructions

    def instructions(self, path):
        """(place, bytes, text) of each instruction; addresses in the text become "."."""
        function = "?"
        for line in self.tool("objdump", "-d", "-w", path).splitlines():
            if match := re.fullmatch(r"[0-9a-f]+ <(.+)>:", line):
                function = match[1]
            elif match := re.fullmatch(r"\s*[0-9a-f]+:\t([0-9a-f ]+?)\s*\t(.*)", line):
                text = re.sub(r"\s+(#|//) .*", "", match[2])
                text = re.sub(r"\b(0x)?[0-9a-f]+ <[^>]*>", ".", text)
                # Padding comes with prefixes repeated, which the assembler does not take back.
                text = re.sub(r"^(data16 |cs )+(nop\w*)", r"\2", " ".join(text.split()))
                yield function, match[1], text

    def check_instructions(self, group, path):
        allowed = ARCHITECTURES[self.architecture][group]
        distinct = {}
        for function, code, text in self.instructions(path):
            distinct.setdefault(text, function)
            if self.architecture == "x86":
                self.check_encoding(path, allowed, function, code, text)
        for text, message in self.refused(allowed, distinct):
            if (group, text.split()[0]) not in EXCEPTIONS:
                self.fault(path, f"{distinct[text]}: '{text}' is not for {group}: {message}")

    def check_encoding(self, path, allowed, function, code, text):
        code = [int(byte, 16) for byte in code.split()]
        while code and code[0] in LEGACY_PREFIXES:
            del code[0]
        if code and code[0] in EVEX and "avx512" not in allowed:
            self.fault(path, f"{function}: '{text}' is EVEX-encoded")
        if code and code[0] in VEX and "avx" not in allowed:
            self.fault(path, f"{function}: '{text}' is VEX-encoded")

    def refused(self, allowed, texts):
        """Those of the instructions that the assembler refuses, with its reason."""
        texts = list(texts)
        with tempfile.TemporaryDirectory() as directory:
            source = os.path.join(directory, "all.s")
            with open(source, "w") as file:
                file.writelines(text + "\n" for text in texts)
            command = [self.prefix + "as", f"-march={allowed}", source, "-o", os.path.join(directory, "all.o")]
            answer = subprocess.run(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C"})
        found = re.findall(r"all\.s:(\d+): Error: (.*)", answer.stderr)
        if answer.returncode and not found:
            self.fault("assembler", answer.stderr.strip())
        for line, message in found:
            yield texts[int(line) - 1], message

    # ------------------------------------------------------ symbols and sections

    def check_symbols(self, group, path):
        own_name = re.compile(r"lanewise_\w+" if group == "baseline" else rf"lanewise_\w+_{group}")
        for line in self.tool("nm", path).splitlines():
            *_, kind, name = line.split()
            if kind in "wWvVu":
                self.fault(path, f"weak symbol {name}")
            elif kind in "U":
                if group != "baseline" and not ALLOWED_CALLS.fullmatch(name):
                    self.fault(path, f"uses {name}")
            elif kind.isupper() and not own_name.fullmatch(name):
                self.fault(path, f"exports {name}")

    def check_sections(self, path):
        text = self.tool("readelf", "-SW", path)
        for section in re.findall(r"\] (\.(?:preinit_array|init_array|fini_array|ctors|dtors)\S*)", text):
            if not (os.path.basename(path) == CONSTRUCTOR_FILE and section.startswith(".init_array")):
                self.fault(path, f"has a constructor or destructor ({section})")
        if "COMDAT group" in self.tool("readelf", "-gW", path):
            self.fault(path, "has a COMDAT group")
        if re.search(r"\.note\.GNU-stack\s+PROGBITS.* X ", text) or ".note.GNU-stack" not in text:
            self.fault(path, "does not say that it needs no executable stack")

    def check_object(self, group, path):
        self.check_instructions(group, path)
        self.check_symbols(group, path)
        self.check_sections(path)

    # ----------------------------------------------------------- shared library

    def check_library(self, path, names, allowed_libraries=ALLOWED_LIBRARIES):
        """`names`: the functions that the library's headers declare."""
        dynamic = self.tool("readelf", "-dW", path)
        segments = self.tool("readelf", "-lW", path)
        exported = set()
        for line in self.tool("nm", "-D", "--defined-only", path).splitlines():
            *_, kind, name = line.split()
            name, _, version = name.partition("@@")
            if kind == "A" and not version:
                continue  # the version itself
            exported.add(name)
            if version != "LANEWISE_0":
                self.fault(path, f"{name} has version '{version}', not LANEWISE_0")
        for name in sorted(exported - names):
            self.fault(path, f"exports {name}, which no header declares")
        for name in sorted(names - exported):
            self.fault(path, f"does not export {name}, which a header declares")
        if not re.search(r"\(SONAME\).*\[liblanewise(_\w+)?\.so\.\d+\]", dynamic):
            self.fault(path, "has no SONAME liblanewise.so.<number>")
        for library in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
            if not allowed_libraries.fullmatch(library):
                self.fault(path, f"needs {library}")
        if not re.search(r"\(FLAGS(_1)?\).*\b(BIND_)?NOW\b", dynamic) or "GNU_RELRO" not in segments:
            self.fault(path, "lacks full RELRO")
        if "TEXTREL" in dynamic:
            self.fault(path, "has text relocations")
        # The parts find the core library by one.
        if allowed_libraries is ALLOWED_LIBRARIES and ("(RPATH)" in dynamic or "(RUNPATH)" in dynamic):
            self.fault(path, "has a run path")
        if not re.search(r"GNU_STACK.*\bRW\s", segments):
            self.fault(path, "has an executable stack")
        # The C runtime's own frame_dummy may be there beside the library's one constructor.
        size = re.search(r"\(INIT_ARRAYSZ\)\s+(\d+)", dynamic)
        if size and int(size[1]) > 16:
            self.fault(path, f"has {int(size[1]) // 8} constructors")


def declared_functions(compiler, include):
    """The functions that the public headers mark with LANEWISE_API: those of the core, and a dictionary of those of the parts."""
    headers = [name for name in os.listdir(os.path.join(include, "lanewise")) if name.endswith(".h")]
    core = [name for name in headers if name != "lanewise.h" and name not in PARTS]
    core_names = functions_of_headers(compiler, include, core)
    return core_names, {part: functions_of_headers(compiler, include, [part, *core]) - core_names for part in PARTS
                        if part in headers}


def functions_of_headers(compiler, include, headers):
    text = run(*compiler, "-E", "-P", "-DLANEWISE_API=LW_EXPORTED", "-I", include, "-x", "c", "-",
               input="".join(f"#include <lanewise/{name}>\n" for name in headers))
    names = re.findall(r"\bLW_EXPORTED\b[^;{]*?\b(lanewise_\w+)\s*\(", text)
    if len(names) != len(re.findall(r"\bLW_EXPORTED\b", text)):
        sys.exit("cannot read every LANEWISE_API declaration of the headers")
    return set(names)


# ------------------------------------------------------------------- self-test

# (group, flags, source, what must be said): each breaks one rule, or none where nothing must be said.
PLANTED = [
    ("baseline", [], "int lanewise_ok(int x) { return x; }", None),
    ("scalar", [], "int lanewise_ok_scalar(int x) { return __builtin_ctz(x); }", None),
    ("scalar", ["-mpopcnt"], "int lanewise_x_scalar(int x) { return __builtin_popcount(x); }", "popcnt"),
    ("scalar", ["-msse4.1"], "typedef float v4 __attribute__((vector_size(16)));\n"
     "v4 lanewise_x_scalar(v4 a) { return __builtin_ia32_roundps(a, 1); }", "roundps"),
    ("baseline", ["-mbmi2"], "unsigned lanewise_x(unsigned a, unsigned b) { return __builtin_ia32_pdep_si(a, b); }",
     "pdep"),
    ("baseline", ["-mavx"], "float lanewise_x(float a, float b) { return a + b; }", "VEX"),
    ("baseline", ["-mavx512f"], 'void lanewise_x(void) { __asm__ volatile("vpxord %zmm0,%zmm0,%zmm0"); }', "EVEX"),
    ("avx2", ["-mavx2"], "float lanewise_x_avx2(float a, float b) { return a + b; }", None),
    ("avx2", [], 'void lanewise_x_avx2(void) { __asm__ volatile("vpxord %zmm0,%zmm0,%zmm0"); }', "zmm"),
    ("avx2", [], 'void lanewise_x_avx2(void) { __asm__ volatile("{evex} vmovups %xmm0,%xmm1"); }', "EVEX"),
    ("avx2", [], 'void lanewise_x_avx2(void) { __asm__ volatile("kmovb %k1,%k2"); }', "kmovb"),
    ("avx2", [], 'void lanewise_x_avx2(void) { __asm__ volatile("gf2p8mulb %xmm0,%xmm1"); }', "gf2p8mulb"),
    ("avx2", [], 'void lanewise_x_avx2(void) { __asm__ volatile("{vex} vpdpbusd %xmm0,%xmm1,%xmm2"); }', "vpdpbusd"),
    ("avx2", [], 'void lanewise_x_avx2(void) { __asm__ volatile("vaesenc %ymm0,%ymm1,%ymm2"); }', "vaesenc"),
    ("avx512_clx", [], 'void lanewise_x_avx512_clx(void) { __asm__ volatile("vpdpbusd %zmm0,%zmm1,%zmm2"); }', None),
    *(("avx512_clx", [], f'void lanewise_x_avx512_clx(void) {{ __asm__ volatile("{code}"); }}', "not for")
      for code in ("vpermb %zmm0,%zmm1,%zmm2", "vpcompressb %zmm0,%zmm1", "vpopcntb %zmm0,%zmm1",
                   "vpopcntd %zmm0,%zmm1", "vpmadd52luq %zmm0,%zmm1,%zmm2", "vgf2p8mulb %zmm0,%zmm1,%zmm2",
                   "vpclmulqdq $0,%zmm0,%zmm1,%zmm2", "vdpbf16ps %zmm0,%zmm1,%zmm2")),
    ("avx512_bf16", [], 'void lanewise_x_avx512_bf16(void) { __asm__ volatile("vdpbf16ps %zmm0,%zmm1,%zmm2"); }', None),
    ("avx512_bf16", [], 'void lanewise_x_avx512_bf16(void) { __asm__ volatile("vpermb %zmm0,%zmm1,%zmm2"); }', "not for"),
    ("avx512", [], 'void lanewise_x_avx512(void) { __asm__ volatile("vpermb %zmm0,%zmm1,%zmm2"); }', None),
    ("avx512", [], 'void lanewise_x_avx512(void) { __asm__ volatile("vaddph %zmm0,%zmm1,%zmm2"); }', "vaddph"),
    ("avx2", [], "int helper(int x) { return x; }", "exports helper"),
    ("avx2", [], "int lanewise_x_scalar(int x) { return x; }", "exports lanewise_x_scalar"),
    ("avx2", [], "float fmaf(float, float, float);\n"
     "float lanewise_x_avx2(float a, float b, float c) { return fmaf(a, b, c); }", "uses fmaf"),
    ("avx2", [], "__attribute__((weak)) int lanewise_x_avx2(int x) { return x; }", "weak"),
    ("avx2", [], "int lanewise_x_avx2;\n__attribute__((constructor)) static void f(void) { lanewise_x_avx2 = 1; }",
     "constructor"),
    ("avx2", [], '__asm__(".section .text.f,\\"axG\\",@progbits,f,comdat\\nf: ret\\n.text");', "COMDAT"),
    ("baseline", [], '__asm__(".section .note.GNU-stack,\\"x\\",@progbits\\n.text");', "executable stack"),
]
# (flags, source, declared names, what must be said)
SONAME = "-Wl,-soname,liblanewise.so.0"
FULL_RELRO = "-Wl,-z,relro,-z,now"
PLANTED_LIBRARIES = [
    ([SONAME, FULL_RELRO], "lanewise_a", {"lanewise_a"}, None),
    ([SONAME, FULL_RELRO], "lanewise_a", set(), "exports lanewise_a"),
    ([SONAME, FULL_RELRO], "lanewise_a", {"lanewise_a", "lanewise_b"}, "does not export lanewise_b"),
    ([FULL_RELRO], "lanewise_a", {"lanewise_a"}, "SONAME"),
    ([SONAME, "-Wl,-z,norelro"], "lanewise_a", {"lanewise_a"}, "RELRO"),
    ([SONAME, FULL_RELRO, "-Wl,-z,execstack"], "lanewise_a", {"lanewise_a"}, "executable stack"),
    ([SONAME, FULL_RELRO, "-Wl,--no-as-needed", "-lm"], "lanewise_a", {"lanewise_a"}, "needs libm"),
    ([SONAME, FULL_RELRO, "-Wl,-rpath,/tmp"], "lanewise_a", {"lanewise_a"}, "run path"),
    ([SONAME, FULL_RELRO, "no version script"], "lanewise_a", {"lanewise_a"}, "has version ''"),
]


def self_test(compiler):
    failures = 0

    def expect(checker, what, source):
        nonlocal failures
        right = any(what in fault for fault in checker.faults) if what else not checker.faults
        if not right:
            failures += 1
            print(f"self-test: expected {what!r}, found {checker.faults} in\n{source}", file=sys.stderr)

    with tempfile.TemporaryDirectory() as directory:
        path, library = os.path.join(directory, "x.o"), os.path.join(directory, "x.so")
        script = os.path.join(directory, "x.map")
        with open(script, "w") as file:
            file.write("LANEWISE_0 { global: lanewise_*; local: *; };\n")
        for group, flags, source, what in PLANTED:
            run(*compiler, "-O2", *flags, "-c", "-x", "c", "-", "-o", path, input=source)
            checker = Checker("x86")
            checker.check_object(group, path)
            expect(checker, what, source)
        for flags, name, declared, what in PLANTED_LIBRARIES:
            versioned = [f"-Wl,--version-script={script}"] if "no version script" not in flags else []
            flags = [flag for flag in flags if flag.startswith("-")]
            run(*compiler, "-shared", "-fPIC", "-x", "c", "-", "-x", "none", "-o", library, *versioned, *flags,
                input=f"int {name}(int x) {{ return x; }}")
            checker = Checker("x86")
            checker.check_library(library, declared)
            expect(checker, what, " ".join(flags))
    print(f"{len(PLANTED) + len(PLANTED_LIBRARIES)} planted objects and libraries, {failures} judged wrongly")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cc", default="cc", help="a C compiler, to read the headers")
    parser.add_argument("--self-test", action="store_true", help="judge planted violations instead (x86-64)")
    parser.add_argument("--architecture", choices=sorted(ARCHITECTURES), default="x86")
    parser.add_argument("--binutils-prefix", default="", help="'aarch64-linux-gnu-', say")
    parser.add_argument("--include", help="the directory of the public headers")
    parser.add_argument("--library", help="the shared library")
    parser.add_argument("--part", nargs=2, action="append", default=[], metavar=("HEADER", "LIBRARY"),
                        help="the shared library of a part")
    parser.add_argument("objects", nargs="?", help="a file of lines '<tier or baseline> <object file>'")
    arguments = parser.parse_args()
    compiler = arguments.cc.split()
    if arguments.self_test:
        return 1 if self_test(compiler) else 0

    checker = Checker(arguments.architecture, arguments.binutils_prefix)
    count = 0
    with open(arguments.objects) as file:
        for line in file:
            if line.strip():
                group, path = line.split(maxsplit=1)
                checker.check_object(group, path.strip())
                count += 1
    if arguments.library:
        core, parts = declared_functions(compiler, arguments.include)
        checker.check_library(arguments.library, core)
        for header, library in arguments.part:
            checker.check_library(library, parts[header], PARTS[header])
    for fault in checker.faults:
        print(fault, file=sys.stderr)
    print(f"{count} objects, {len(checker.faults)} faults")
    return 1 if checker.faults or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
