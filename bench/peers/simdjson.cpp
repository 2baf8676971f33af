// SPDX-License-Identifier: Apache-2.0
// simdjson: validation of UTF-8, the index that it calls stage 1, the DOM parser and the one on demand, with the padding that
// they want made beforehand.
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

int utf8_valid(const char *text, size_t n) { return simdjson::validate_utf8(text, n); }

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

size_t json_documents(const char *text, const size_t *begin, size_t n_documents)
{
	static simdjson::dom::parser parser;
	const char *copy = padded(text, begin[n_documents] - 1).data();
	size_t n_valid = 0;

	for (size_t i = 0; i < n_documents; i++)
		n_valid +=
		        parser.parse(copy + begin[i], begin[i + 1] - begin[i] - 1, false).error() == simdjson::SUCCESS;
	return n_valid;
}

size_t json_lines(const char *text, size_t n)
{
	static simdjson::dom::parser parser;
	simdjson::dom::document_stream stream;
	size_t n_valid = 0;

	// Else stage 1 is run by a second thread, whose time nobody would count.
	parser.threaded = false;
	if (parser.parse_many(padded(text, n)).get(stream))
		return 0;
	for (auto document : stream)
		n_valid += document.error() == simdjson::SUCCESS;
	return n_valid;
}

template <class number> size_t embeddings(const char *text, size_t n, number *out)
{
	static simdjson::ondemand::parser parser;
	simdjson::ondemand::document document;
	size_t count = 0;

	if (parser.iterate(padded(text, n)).get(document))
		return 0;
	for (auto item : document["data"].get_array())
		for (auto value : item["embedding"].get_array())
			out[count++] = static_cast<number>(value.get_double().value());
	return count;
}

size_t json_string(const char *text, size_t n, char *out)
{
	static simdjson::ondemand::parser parser;
	simdjson::ondemand::document document;
	std::string_view string;

	(void)out;
	if (parser.iterate(padded(text, n)).get(document) || document.get_string().get(string))
		return 0;
	return string.size();
}

// By the library's inner function, which its parsers call for every string.
size_t json_unescape(const char *text, size_t n, char *out)
{
	static std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
	uint8_t *to = reinterpret_cast<uint8_t *>(out);

	if (!parser && simdjson::get_active_implementation()->create_dom_parser_implementation(64, 1024, parser))
		return 0;
	const uint8_t *behind = parser->parse_string(reinterpret_cast<const uint8_t *>(padded(text, n).data()) + 1, to);

	return behind ? static_cast<size_t>(behind - to) : 0;
}

// Lines by memchr, in a text that is there as a whole.
size_t sse_content(const char *text, size_t n)
{
	static simdjson::ondemand::parser parser;
	const char *at = padded(text, n).data(), *end = at + n;
	size_t total = 0;

	while (at < end) {
		const char *newline = static_cast<const char *>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
		const char *stop = newline ? newline : end;

		if (stop - at > 6 && std::memcmp(at, "data: {", 7) == 0) {
			simdjson::ondemand::document document;
			std::string_view content;

			if (!parser.iterate(at + 6, static_cast<size_t>(stop - at - 6),
			                    static_cast<size_t>(stop - at - 6) + simdjson::SIMDJSON_PADDING)
			             .get(document) &&
			    !document["choices"].at(0)["delta"]["content"].get_string().get(content))
				total += content.size();
		}
		at = stop + 1;
	}
	return total;
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
	peer.json_documents = json_documents;
	peer.json_lines = json_lines;
	peer.json_f32 = embeddings<float>;
	peer.json_f64 = embeddings<double>;
	peer.json_string = json_string;
	peer.json_unescape = json_unescape;
	peer.sse_content = sse_content;
	return &peer;
}
