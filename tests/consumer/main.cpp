/* SPDX-License-Identifier: Apache-2.0 */
#include "main.c" /* the same program as C++ */
