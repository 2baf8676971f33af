#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs a build into a temporary prefix, moves that, and builds and runs programs against it: through
# find_package (C11 and C++17, shared and static), through pkg-config with a plain compiler, and as a subproject.
#
# usage: run.sh SOURCE_DIR BUILD_DIR CMAKE CC
set -eu
source=$1 build=$2 cmake=$3 cc=$4

for program in c++ pkg-config; do
	command -v "$program" >/dev/null || { echo "no $program here"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }
step() { echo "== $*"; }

step "install, then move"
quietly "$cmake" --install "$build" --prefix "$work/first"
mv "$work/first" "$work/moved"
prefix=$work/moved
if grep -rlF "$work/first" "$prefix"; then
	echo "these files name the prefix they were installed to"
	exit 1
fi
if grep -rlF -e "$source" -e "$build" "$prefix/include" "$(dirname "$(find "$prefix" -name lanewise.pc)")/.."/cmake; then
	echo "these files name the tree they were built in"
	exit 1
fi

if readelf -d "$(dirname "$(find "$prefix" -name liblanewise.so)")"/*.so | grep -E 'R(UN)?PATH' | grep -vF "[\$ORIGIN]"; then
	echo "a run path names a directory"
	exit 1
fi

step "find_package"
quietly "$cmake" -S "$source/tests/consumer" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc"
quietly "$cmake" --build "$work/consumer"
for library in lanewise static parallel parallel_static regex regex_static; do
	"$work/consumer/c_$library"
	"$work/consumer/cxx_$library"
done

step "a version that does not fit is refused"
mkdir "$work/refused"
printf 'cmake_minimum_required(VERSION 3.20)\nproject(x LANGUAGES NONE)\nfind_package(lanewise 0.999 REQUIRED)\n' \
	>"$work/refused/CMakeLists.txt"
if "$cmake" -S "$work/refused" -B "$work/refused/build" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null 2>&1; then
	echo "find_package(lanewise 0.999) was satisfied"
	exit 1
fi
sed -i 's/NONE/C/; s/0.999 REQUIRED/REQUIRED COMPONENTS lanewise other/' "$work/refused/CMakeLists.txt"
"$cmake" -S "$work/refused" -B "$work/refused/build" -DCMAKE_PREFIX_PATH="$prefix" >"$work/refused/log" 2>&1 || :
grep -q "There is no lanewise::other" "$work/refused/log" || { cat "$work/refused/log"; exit 1; }

step "pkg-config"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name lanewise.pc)")
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir lanewise)
# shellcheck disable=SC2046 # the flags are meant to be split
"$cc" -std=c11 "$source/tests/consumer/main.c" -o "$work/shared" $(pkg-config --cflags --libs lanewise)
LD_LIBRARY_PATH=$libdir "$work/shared"
# shellcheck disable=SC2046
"$cc" -std=c11 -DWITH_PARALLEL "$source/tests/consumer/main.c" -o "$work/parallel" \
	$(pkg-config --cflags --libs lanewise-parallel)
LD_LIBRARY_PATH=$libdir "$work/parallel"
# shellcheck disable=SC2046
"$cc" -std=c11 -DWITH_REGEX "$source/tests/consumer/main.c" -o "$work/regex" $(pkg-config --cflags --libs lanewise-regex)
LD_LIBRARY_PATH=$libdir "$work/regex"
# shellcheck disable=SC2046
"$cc" -std=c11 -DLANEWISE_STATIC "$source/tests/consumer/main.c" -o "$work/static" -static \
	$(pkg-config --static --cflags --libs lanewise)
"$work/static"
# The other parts' archives beside shared libraries of the system, which are not there as archives everywhere.
mkdir "$work/archives"
cp "$libdir"/*.a "$work/archives"
for part in parallel regex; do
	# shellcheck disable=SC2046
	"$cc" -std=c11 -DLANEWISE_STATIC -DWITH_"$(echo $part | tr '[:lower:]' '[:upper:]')" "$source/tests/consumer/main.c" \
		-o "$work/static_$part" -L"$work/archives" $(pkg-config --static --cflags --libs "lanewise-$part")
	if readelf -d "$work/static_$part" | grep -F 'liblanewise'; then
		echo "$part is not linked statically"
		exit 1
	fi
	"$work/static_$part"
done

step "as a subproject"
mkdir "$work/parent"
cat >"$work/parent/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.20)
project(parent LANGUAGES C)
add_subdirectory("$source" lanewise)
add_executable(program "$source/tests/consumer/main.c")
target_link_libraries(program PRIVATE lanewise::static)
END
quietly "$cmake" -S "$work/parent" -B "$work/parent/build" -DCMAKE_C_COMPILER="$cc"
quietly "$cmake" --build "$work/parent/build" --target program
"$work/parent/build/program"
