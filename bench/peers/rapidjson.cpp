// SPDX-License-Identifier: Apache-2.0
// RapidJSON: the DOM parser with full precision and validation of UTF-8, which is what lanewise_json_parse checks; and
// strings written.
#include <rapidjson/document.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "peer.h"

namespace
{

int json_parse(const char *text, size_t n)
{
	rapidjson::Document document;

	document.Parse<rapidjson::kParseValidateEncodingFlag>(text, n);
	return !document.HasParseError();
}

size_t json_escape(const char *text, size_t n, char *out)
{
	static rapidjson::StringBuffer buffer;
	rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);

	(void)out;
	buffer.Clear();
	writer.String(text, static_cast<rapidjson::SizeType>(n));
	return buffer.GetSize() - 2;
}

} // namespace

const bench_peer *bench_peer_get(void)
{
	static bench_peer peer = {};

	peer.name = "rapidjson";
	peer.version = RAPIDJSON_VERSION_STRING;
	peer.json_parse = json_parse;
	peer.json_escape = json_escape;
	return &peer;
}
