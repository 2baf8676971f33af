/* SPDX-License-Identifier: Apache-2.0 */
/* Escapes of strings, one at a time: tables and functions that tiers and the functions above them share. */
#ifndef LW_JSON_ESCAPE_H
#define LW_JSON_ESCAPE_H

#include "common.h"
#include "json_run.h"

/* What a letter behind a backslash stands for, or 0 if none may stand there; of u the digits decide. */
static const uint8_t lw_json_unescaped[256] = {
	['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t', ['"'] = '"', ['\\'] = '\\', ['/'] = '/'
};

static inline size_t lw_json_put_utf8(uint32_t code, uint8_t out[4])
{
	size_t n = 0;

	if (code < 0x80) {
		out[n++] = (uint8_t)code;
		return n;
	}
	if (code < 0x800) {
		out[n++] = (uint8_t)(0xc0 | code >> 6);
	} else {
		if (code < 0x10000) {
			out[n++] = (uint8_t)(0xe0 | code >> 12);
		} else {
			out[n++] = (uint8_t)(0xf0 | code >> 18);
			out[n++] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
		}
		out[n++] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
	}
	out[n++] = (uint8_t)(0x80 | (code & 0x3f));
	return n;
}

/* Decodes the valid escape at *p, which goes behind it; the bytes go to `out`, their number is returned. */
static inline size_t lw_json_read_escape(const uint8_t **p, const uint8_t *end, uint8_t out[4])
{
	uint8_t c = (*p)[1];
	uint32_t code;

	if (c != 'u') {
		out[0] = lw_json_unescaped[c];
		*p += 2;
		return 1;
	}
	code = (uint32_t)lw_json_read_hex(*p + 2);
	*p += 6;
	if (code >= 0xd800 && code <= 0xdbff && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
		uint32_t low = (uint32_t)lw_json_read_hex(*p + 2);

		if (low >= 0xdc00 && low <= 0xdfff) {
			*p += 6;
			return lw_json_put_utf8(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00), out);
		}
	}
	return lw_json_put_utf8(code >= 0xd800 && code <= 0xdfff ? 0xfffd : code, out);
}

/* How a byte is written that must be escaped; n is 0 for other bytes. */
struct lw_json_escaped {
	char bytes[7];
	uint8_t n;
};

static const struct lw_json_escaped lw_json_escapes[256] = {
	[0x00] = { "\\u0000", 6 }, [0x01] = { "\\u0001", 6 }, [0x02] = { "\\u0002", 6 }, [0x03] = { "\\u0003", 6 },
	[0x04] = { "\\u0004", 6 }, [0x05] = { "\\u0005", 6 }, [0x06] = { "\\u0006", 6 }, [0x07] = { "\\u0007", 6 },
	[0x08] = { "\\b", 2 },     [0x09] = { "\\t", 2 },     [0x0a] = { "\\n", 2 },     [0x0b] = { "\\u000b", 6 },
	[0x0c] = { "\\f", 2 },     [0x0d] = { "\\r", 2 },     [0x0e] = { "\\u000e", 6 }, [0x0f] = { "\\u000f", 6 },
	[0x10] = { "\\u0010", 6 }, [0x11] = { "\\u0011", 6 }, [0x12] = { "\\u0012", 6 }, [0x13] = { "\\u0013", 6 },
	[0x14] = { "\\u0014", 6 }, [0x15] = { "\\u0015", 6 }, [0x16] = { "\\u0016", 6 }, [0x17] = { "\\u0017", 6 },
	[0x18] = { "\\u0018", 6 }, [0x19] = { "\\u0019", 6 }, [0x1a] = { "\\u001a", 6 }, [0x1b] = { "\\u001b", 6 },
	[0x1c] = { "\\u001c", 6 }, [0x1d] = { "\\u001d", 6 }, [0x1e] = { "\\u001e", 6 }, [0x1f] = { "\\u001f", 6 },
	[0x22] = { "\\\"", 2 },    [0x5c] = { "\\\\", 2 }
};

#endif
