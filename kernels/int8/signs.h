/* SPDX-License-Identifier: Apache-2.0 */
/* What the bytes of a query and of rows are. Kernels take either as int8_t * inside. */
#ifndef LW_INT8_SIGNS_H
#define LW_INT8_SIGNS_H

/* The query's, then the rows'. */
enum signs { I8_I8, U8_I8, I8_U8 };

#endif
