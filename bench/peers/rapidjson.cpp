// SPDX-License-Identifier: Apache-2.0
// RapidJSON: the DOM parser with full precision and validation of UTF-8, which is what lanewise_json_parse checks.
#include <rapidjson/document.h>
#include <rapidjson/memorystream.h>

#include "peer.h"

namespace
{

int json_parse(const char *text, size_t n)
{
	rapidjson::Document document;

	document.Parse<rapidjson::kParseValidateEncodingFlag>(text, n);
	return !document.HasParseError();
}

} // namespace

const bench_peer *bench_peer_get(void)
{
	static bench_peer peer = {};

	peer.name = "rapidjson";
	peer.version = RAPIDJSON_VERSION_STRING;
	peer.json_parse = json_parse;
	return &peer;
}
