/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_candidates where bytes can be looked up in 64 (vpermb): windows are found by the lower six bits of bytes, one lookup
 * a place. That lets some pass that the filter does not, bytes that differ in the upper two bits only; so windows are looked
 * at again. All else is as without.
 */
#define LW_SECRET_SIX_BITS 1
#include "secrets/secrets_simd.c"
