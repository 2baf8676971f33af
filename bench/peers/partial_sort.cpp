// SPDX-License-Identifier: Apache-2.0
// The standard library's top-k: std::partial_sort over (score, index) pairs, what one uses without a library.
#include <algorithm>
#include <vector>

#include "peer.h"

namespace
{

struct item {
	float score;
	uint32_t index;
};

void topk_f32(const float *scores, size_t n, size_t k, int64_t *index, float *score)
{
	static std::vector<item> items;

	items.resize(n);
	for (size_t i = 0; i < n; i++)
		items[i] = { scores[i], static_cast<uint32_t>(i) };
	std::partial_sort(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(k), items.end(),
	                  [](const item &a, const item &b) {
		                  return a.score > b.score || (a.score == b.score && a.index < b.index);
	                  });
	for (size_t i = 0; i < k; i++) {
		index[i] = items[i].index;
		score[i] = items[i].score;
	}
}

} // namespace

const bench_peer *bench_peer_get(void)
{
	static bench_peer peer = {};

	peer.name = "partial_sort";
	peer.version = "C++ standard library";
	peer.topk_f32 = topk_f32;
	return &peer;
}
