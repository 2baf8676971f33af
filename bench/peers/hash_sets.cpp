// SPDX-License-Identifier: Apache-2.0
// Sets of 64-bit hashes from C++ libraries, compiled once per library (PEER_SET says which). The hashes are hashes
// already, so where a set believes that, it is told to take them as they are.
#include <cstdlib>

#include "peer.h"

#if defined(PEER_SET_BOOST)
#include <boost/unordered/unordered_flat_set.hpp>
#include <boost/version.hpp>

struct identity {
	using is_avalanching = void;
	std::size_t operator()(uint64_t hash) const noexcept { return hash; }
};
using set_type = boost::unordered_flat_set<uint64_t, identity>;
#define SET_NAME    "boost_flat_set"
#define SET_VERSION BOOST_LIB_VERSION
#else
#include <absl/container/flat_hash_set.h>

using set_type = absl::flat_hash_set<uint64_t>;
#define SET_NAME    "absl_flat_set"
#define SET_VERSION "Abseil"
#endif

namespace
{

void *set_create(std::size_t expected)
{
	auto *set = new set_type;

	set->reserve(expected);
	return set;
}

std::size_t set_insert(void *set, const uint64_t *hashes, std::size_t n)
{
	auto &keys = *static_cast<set_type *>(set);
	std::size_t before = keys.size();

	for (std::size_t i = 0; i < n; i++)
		keys.insert(hashes[i]);
	return keys.size() - before;
}

void set_destroy(void *set) { delete static_cast<set_type *>(set); }

} // namespace

const bench_peer *bench_peer_get(void)
{
	static bench_peer peer = {};

	peer.name = SET_NAME;
	peer.version = SET_VERSION;
	peer.set_create = set_create;
	peer.set_insert = set_insert;
	peer.set_destroy = set_destroy;
	return &peer;
}
