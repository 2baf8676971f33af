# SPDX-License-Identifier: Apache-2.0
# The tiers of this target and the compile flags of each: exactly the features that dispatch/cpu.h lists for the tier,
# never -march, so that the compiler cannot use what the dispatcher did not check.
#
# Template files (<f>_simd.c) are compiled for LW_TEMPLATE_TIERS. avx512 and neon_dot add instructions to the tier
# before them and compile only files written for them; for the rest their table cells name the lower tier.

set(LW_FLAGS_avx2 -mavx2 -mfma -mf16c -mbmi -mbmi2 -mlzcnt -mpopcnt -mmovbe -mpclmul)
set(LW_FLAGS_avx512_clx ${LW_FLAGS_avx2} -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mavx512vnni
                        -mprefer-vector-width=512)
set(LW_FLAGS_avx512 ${LW_FLAGS_avx512_clx} -mavx512ifma -mavx512vbmi -mavx512vbmi2 -mavx512bitalg -mavx512vpopcntdq
                    -mgfni -mvpclmulqdq)
set(LW_FLAGS_neon "")
set(LW_FLAGS_neon_dot "") # no flag adds one extension to ARMv8.0 here: its files name their instructions themselves

# Beside the tiers, since their results are not the same bits as the tiers': the dot products of bfloat16.
set(LW_FLAGS_avx512_bf16 ${LW_FLAGS_avx512_clx} -mavx512bf16)
set(LW_FLAGS_neon_bf16 "")

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(LW_TIERS scalar avx2 avx512_clx avx512)
  set(LW_BESIDE_TIERS avx512_bf16)
  set(LW_TEMPLATE_TIERS avx2 avx512_clx)
  if(LANEWISE_NEON_VIA_SIMDE)
    list(APPEND LW_TIERS neon neon_dot)
    list(APPEND LW_TEMPLATE_TIERS neon)
    set(LW_FLAGS_neon -mavx2 -mfma)
    set(LW_FLAGS_neon_dot -mavx2 -mfma)
  endif()
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(LW_TIERS scalar neon neon_dot)
  set(LW_BESIDE_TIERS neon_bf16)
  set(LW_TEMPLATE_TIERS neon)
  # Outlined atomics bring a constructor of the compiler's into the library, to ask the CPU about LSE.
  add_compile_options(-mno-outline-atomics)
else()
  set(LW_TIERS scalar)
  set(LW_BESIDE_TIERS)
  set(LW_TEMPLATE_TIERS)
endif()
