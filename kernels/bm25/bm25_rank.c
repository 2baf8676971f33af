/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best k documents, in two steps: sums of 16-bit integers, which are within a known distance of the exact scores,
 * choose candidates; these are scored exactly, in float, in the order of the query. So the result has the bits of
 * scoring every document, whatever was left out on the way.
 *
 * Sums. A term's weight becomes an integer w < 2^16 by a scale that is the same for all terms, so that the sum of a
 * document,
 *
 *     sum over its terms of 1 + floor(quantum * w / 2^16),
 *
 * is below 2^16. Let U be the exact score in the same unit (score * scale * quanta / 2^16). A term adds at most 1 more
 * to the sum than to U; and less only by what rounding the quantum (less than w / 2^16) and the weight (less than
 * quantum / 2^16) takes away. So with n terms U + n >= sum > U - loss for a loss that is known for the query. If k
 * documents have sums of `least` or more, a document with a sum of least - n - loss - 1 or less has a score below
 * theirs: by a whole unit, while rounding in float sums of at most MAX_TERMS terms is less than that.
 *
 * `least` comes from a histogram of the candidates' sums, and at first from the terms' k-th greatest quanta.
 *
 * Segments. A run's greatest quantum bounds what a term can add in a segment. The weakest terms of which the bounds
 * together do not pass the cut need not be gone through (MaxScore: Turtle and Flood, "Query evaluation: strategies and
 * optimizations", 1995): the others give candidates, to which the weak ones' quanta are added by look-up, the strongest
 * first; who cannot pass the cut any more is dropped on the way. Where look-ups would cost more than going through, all
 * terms are added up.
 */
#include "bm25/bm25_rank.h"

#include <float.h>
#include <string.h>

#include "common.h"
#include "support.h"

enum {
	MAX_TERMS = 64,  /* of a query that is ranked by integers */
	BUCKET_BITS = 4, /* sums of one bucket of the histogram */
	BUCKETS = 65536 >> BUCKET_BITS,
	LOOKUPS = 256,         /* at once */
	FEW = 128,             /* candidates, for which all sums are not cleared */
	PASS_SHARE = 8,        /* so many postings for each candidate are gone through rather than looked up */
	CLEAN_POSTINGS = 4096, /* in all segments to come, for which all sums are cleared */
	SCAN_SHARE = 24,       /* of so small a share of a segment's documents the postings are gone over again */

	/* Rough costs, in eighths of a cycle. */
	ADD_COST = 14,     /* of a posting that is added */
	WALK_COST = 20,    /* of one that is gone over again */
	FILTER_COST = 3,   /* of a posting of a single strong term */
	SCAN_COST = 1,     /* of a document that is gone over */
	LOOKUP_COST = 280, /* of a candidate in a weak term */
};

/* A term with its weight in the integer sums, its bound in the segment at hand, and its list there. */
struct ranked {
	struct lw_bm25_term term;
	uint32_t weight, bound;
	double strength;
	struct lw_bm25_list list; /* n = 0 if there is none */
};

struct ranking {
	const lanewise_bm25 *bm25;
	const struct lw_bm25_term *terms; /* in the order of the query */
	struct ranked *ranked;            /* ascending by strength */
	size_t n_terms, k, n_left;        /* segments that are left */
	const uint64_t *filter;
	lanewise_topk *topk;
	struct lw_bm25_formula formula;

	uint16_t *sums; /* of the documents of a segment; all 0 between segments if they are clean */
	int clean;
	uint32_t *found, *other; /* a segment's candidates, and room to sort them */
	int in_order;            /* those found are in the order of documents */
	float *scores;           /* of a segment's candidates, or documents */

	uint32_t *histogram, lowest,
	        n_counted;    /* candidates counted in bucket `lowest` and above; others do not count */
	uint32_t least;       /* k documents have such a sum */
	uint32_t margin, cut; /* sums of `cut` or less do not matter */

	/* Candidates that are not scored yet. */
	uint32_t *pool;
	uint16_t *pool_sums;
	size_t n_pool, capacity;

	double lookups; /* per posting of the strong terms, lately */
};

/* ---------------------------------------------------------------- scratch */

struct places {
	size_t sums, found, other, scores, histogram, pool, pool_sums, n_bytes;
};

static size_t place(size_t *end, size_t n, size_t element_bytes)
{
	size_t begin = *end;

	if (begin == SIZE_MAX || n > (SIZE_MAX - 64 - begin) / element_bytes)
		*end = SIZE_MAX;
	else
		*end = (begin + n * element_bytes + 63) / 64 * 64;
	return begin;
}

static size_t segment_length(const lanewise_bm25 *bm25, uint32_t segment)
{
	size_t left = (size_t)bm25->header.n_documents - (size_t)segment * LW_BM25_SEGMENT;

	return left < LW_BM25_SEGMENT ? left : LW_BM25_SEGMENT;
}

/* Candidates of one segment always find room after the others were scored. */
static size_t pool_capacity(const lanewise_bm25 *bm25, size_t k)
{
	size_t n = (size_t)bm25->header.n_documents, segment = segment_length(bm25, 0);

	k = k < n ? k : n;
	return k > (SIZE_MAX - 1 - segment) / 2 ? SIZE_MAX - 1 : segment + 2 * k;
}

static struct places lay_out(const lanewise_bm25 *bm25, size_t k)
{
	size_t n = segment_length(bm25, 0), end = 0;
	struct places places;

	places.sums = place(&end, n, sizeof(uint16_t));
	places.found = place(&end, n + LW_BM25_SPARE, sizeof(uint32_t));
	places.other = place(&end, n, sizeof(uint32_t));
	places.scores = place(&end, n, sizeof(float));
	places.histogram = place(&end, BUCKETS, sizeof(uint32_t));
	places.pool = place(&end, pool_capacity(bm25, k) + 1, sizeof(uint32_t)); /* the last is written, not kept */
	places.pool_sums = place(&end, pool_capacity(bm25, k) + 1, sizeof(uint16_t));
	places.n_bytes = end > SIZE_MAX - 63 ? 0 : end + 63; /* room to align */
	return places;
}

size_t lanewise_bm25_rank_bytes(const lanewise_bm25 *bm25, size_t k) { return lay_out(bm25, k).n_bytes; }

/* ---------------------------------------------------------------- weights */

/* The greatest quantum of a term. */
static uint16_t most_of(const lanewise_bm25 *bm25, const struct lw_bm25_term *term)
{
	uint16_t most = 0;

	for (size_t run = term->run; run < term->run_end; run++)
		most = bm25->most[run] > most ? bm25->most[run] : most;
	return most;
}

/* By what weights are multiplied: so that no sum and no weight reaches 2^16. `most` are the terms' greatest quanta. */
static double find_scale(const struct lw_bm25_term *terms, const uint16_t *most, size_t n)
{
	double heaviest = 0, sum = 0, scale;

	for (size_t i = 0; i < n; i++) {
		double weight = (double)terms[i].weight;

		heaviest = weight > heaviest ? weight : heaviest;
		sum += weight * (double)most[i];
	}
	scale = 65535 / heaviest;
	if (sum * scale > (double)(65535 - n) * 65536)
		scale = (double)(65535 - n) * 65536 / sum;
	return scale * (1 - 1e-9);
}

static void set_cut(struct ranking *r) { r->cut = r->least > r->margin ? r->least - r->margin : 0; }

/* k documents have at least this sum by one term alone, whatever they have by others. */
static uint32_t least_of(const struct lw_bm25_term *term, uint32_t weight, size_t k)
{
	static const size_t ks[LW_BM25_KTHS] = LW_BM25_KTH_LIST;

	for (size_t i = 0; term->hint && i < LW_BM25_KTHS; i++)
		if (k <= ks[i])
			return term->hint->kth[i] ? 1 + (term->hint->kth[i] * weight >> 16) : 0;
	return 0;
}

/* Fetches the run that a term is at, as much as is not fetched while it is added. */
static void fetch_run(const lanewise_bm25 *bm25, const struct lw_bm25_term *term)
{
	enum { LINE = 32, MOST = 8 * LINE };
	size_t n = term->run < term->run_end ? (bm25->runs[term->run] & 0xffff) + (size_t)1 : 0;

	for (size_t i = 0; i < n && i < MOST; i += LINE) {
		__builtin_prefetch(bm25->documents + term->posting + i);
		__builtin_prefetch(bm25->quanta + term->posting + i);
	}
}

static void weigh(struct ranking *r)
{
	uint16_t greatest[MAX_TERMS];
	double scale, loss = 0;

	for (size_t i = 0; i < r->n_terms; i++)
		greatest[i] = most_of(r->bm25, &r->terms[i]);
	scale = find_scale(r->terms, greatest, r->n_terms);
	for (size_t i = 0; i < r->n_terms; i++) {
		const struct lw_bm25_term *term = &r->terms[i];
		double most = (double)greatest[i], scaled = (double)term->weight * scale;
		struct ranked ranked = { .term = *term, .weight = (uint32_t)scaled, .strength = scaled * most };
		size_t at = i;
		uint32_t least = least_of(term, ranked.weight, r->k);

		fetch_run(r->bm25, term);
		loss += ((double)ranked.weight + (scaled - (double)ranked.weight) * (most + 1)) / 65536;
		for (; at > 0 && r->ranked[at - 1].strength > ranked.strength; at--)
			r->ranked[at] = r->ranked[at - 1];
		r->ranked[at] = ranked;
		if (!r->filter && least > r->least)
			r->least = least;
	}
	r->lowest = r->least >> BUCKET_BITS;
	memset(r->histogram + r->lowest, 0, (BUCKETS - r->lowest) * sizeof *r->histogram);
	r->margin = (uint32_t)r->n_terms + (uint32_t)loss + 2;
	set_cut(r);
}

/* ---------------------------------------------------------- exact scores */

static void clean_sums(struct ranking *r)
{
	if (!r->clean)
		memset(r->sums, 0, segment_length(r->bm25, 0) * sizeof *r->sums);
	r->clean = 1;
}

/* Notes at the place of each document's sum which of the candidates it is, plus 1. */
static void mark(struct ranking *r, const uint32_t *documents, size_t n)
{
	clean_sums(r);
	for (size_t i = 0; i < n; i++) {
		if (r->bm25->lengths)
			__builtin_prefetch(r->bm25->lengths + documents[i]);
		r->sums[documents[i] % LW_BM25_SEGMENT] = (uint16_t)(i + 1);
	}
}

static void unmark(struct ranking *r, const uint32_t *documents, size_t n)
{
	for (size_t i = 0; i < n; i++)
		r->sums[documents[i] % LW_BM25_SEGMENT] = 0;
}

/* Scores candidates of one segment, and offers them. */
static void score_some(struct ranking *r, struct lw_bm25_term *terms, uint32_t segment, const uint32_t *documents,
                       size_t n)
{
	int marked = 0;

	memset(r->scores, 0, n * sizeof *r->scores);
	for (size_t i = 0; i < r->n_terms; i++) {
		struct lw_bm25_list list;

		if (!lw_bm25_take_list(r->bm25, &terms[i], segment, &list))
			continue;
		if (list.n / PASS_SHARE >= n || n > UINT16_MAX || (!r->clean && n < FEW)) {
			lanewise_bm25_score_some(r->bm25, &r->formula, &list, terms[i].weight, documents, n, r->scores);
			continue;
		}
		if (!marked)
			mark(r, documents, n);
		marked = 1;
		lanewise_bm25_score_marked(r->bm25, &r->formula, &list, terms[i].weight,
		                           (size_t)segment * LW_BM25_SEGMENT, r->sums, r->scores);
	}
	if (marked)
		unmark(r, documents, n);
	lanewise_topk_push_some_f32(r->topk, r->scores, documents, n);
}

/* Drops what does not pass the cut any more. */
static void shrink_pool(struct ranking *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n_pool; i++) {
		r->pool[kept] = r->pool[i];
		r->pool_sums[kept] = r->pool_sums[i];
		kept += r->pool_sums[i] > r->cut;
	}
	r->n_pool = kept;
}

/* Scores all candidates. */
static void empty_pool(struct ranking *r)
{
	struct lw_bm25_term terms[MAX_TERMS];

	memcpy(terms, r->terms, r->n_terms * sizeof *terms);
	shrink_pool(r);
	for (size_t i = 0, n; i < r->n_pool; i += n) {
		uint32_t segment = r->pool[i] / LW_BM25_SEGMENT;

		n = 1;
		while (i + n < r->n_pool && r->pool[i + n] / LW_BM25_SEGMENT == segment)
			n++;
		score_some(r, terms, segment, r->pool + i, n);
	}
	r->n_pool = 0;
}

/* ------------------------------------------------------------- candidates */

/* Raises the cut as far as the candidates that were counted allow. */
static void raise_cut(struct ranking *r)
{
	while (r->n_counted >= r->k && r->n_counted - r->histogram[r->lowest] >= r->k)
		r->n_counted -= r->histogram[r->lowest++];
	if (r->n_counted >= r->k && r->lowest << BUCKET_BITS > r->least) {
		r->least = r->lowest << BUCKET_BITS;
		set_cut(r);
	}
}

/*
 * Counts n candidates, and takes those that pass the cut to the others, where there is room for all. Which do cannot be
 * predicted, so there is no branch on it.
 */
static void take_some(struct ranking *r, uint32_t first, const uint32_t *found, size_t n)
{
	uint32_t *histogram = r->histogram, *pool = r->pool, lowest = r->lowest, cut = r->cut, n_counted = 0;
	uint16_t *sums = r->pool_sums;
	size_t kept = r->n_pool;

	for (size_t i = 0; i < n; i++) {
		uint32_t sum = found[i] >> 16, bucket = sum >> BUCKET_BITS;

		sums[kept] = (uint16_t)sum;
		pool[kept] = first + (found[i] & 0xffff);
		kept += sum > cut;
		bucket = bucket < lowest ? lowest : bucket;
		histogram[bucket] += sum >> BUCKET_BITS == bucket;
		n_counted += sum >> BUCKET_BITS == bucket;
	}
	r->n_pool = kept;
	r->n_counted += n_counted;
}

/* Takes a segment's candidates, in order of document, to the others. */
static void take(struct ranking *r, uint32_t segment, size_t n)
{
	enum { CHUNK = 64 }; /* after which the cut may rise */

	if (n > r->capacity - r->n_pool)
		shrink_pool(r);
	if (n > r->capacity - r->n_pool)
		empty_pool(r);
	for (size_t i = 0; r->bm25->lengths && r->k > CHUNK && i < n; i++)
		__builtin_prefetch(r->bm25->lengths + segment * (size_t)LW_BM25_SEGMENT + (r->found[i] & 0xffff));
	for (size_t i = 0; i < n; i += CHUNK) {
		take_some(r, segment * LW_BM25_SEGMENT, r->found + i, n - i < CHUNK ? n - i : CHUNK);
		raise_cut(r);
	}
}

static size_t apply_filter(const struct ranking *r, uint32_t segment, size_t n)
{
	const uint64_t *words = r->filter + (size_t)segment * LW_BM25_SEGMENT / 64;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t document = r->found[i] & 0xffff;

		r->found[kept] = r->found[i];
		kept += words[document / 64] >> document % 64 & 1;
	}
	return kept;
}

/* Whether the filter lets any document of a segment through. */
static int any_passes(const struct ranking *r, uint32_t segment)
{
	size_t length = segment_length(r->bm25, segment);
	const uint64_t *words = r->filter ? r->filter + (size_t)segment * LW_BM25_SEGMENT / 64 : NULL;
	uint64_t last = length % 64 ? ((uint64_t)1 << length % 64) - 1 : UINT64_MAX, any = !words;

	for (size_t i = 0; words && !any && i < length; i += 64)
		any = length - i > 64 ? words[i / 64] : words[i / 64] & last;
	return any != 0;
}

/* Goes over the postings of some terms again instead of over all documents, and sets their sums to 0. */
static size_t walk(struct ranking *r, size_t first, uint32_t bound)
{
	uint16_t *sums = r->sums;
	uint32_t *found = r->found;
	size_t n = 0;

	for (size_t i = first; i < r->n_terms; i++) {
		const struct lw_bm25_list *list = &r->ranked[i].list;

		for (size_t j = 0; j < list->n; j++) {
			uint32_t document = list->documents[j], sum = sums[document];

			/* A branch would be mispredicted often. There is room for all postings. */
			found[n] = sum << 16 | document;
			n += sum >= bound;
			sums[document] = 0;
		}
	}
	return n;
}

static void insert_by_document(uint32_t *found, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		uint32_t candidate = found[i];
		size_t j = i;

		for (; j > 0 && (found[j - 1] & 0xffff) > (candidate & 0xffff); j--)
			found[j] = found[j - 1];
		found[j] = candidate;
	}
}

/* Two digits of the documents, which are the lower 16 bits, the least significant one first. */
static void sort_by_document(uint32_t *found, uint32_t *other, size_t n)
{
	uint32_t low[256] = { 0 }, high[256] = { 0 }, low_sum = 0, high_sum = 0;

	if (n < 24) {
		insert_by_document(found, n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		low[found[i] & 255]++;
		high[found[i] >> 8 & 255]++;
	}
	for (int digit = 0; digit < 256; digit++) {
		uint32_t n_low = low[digit], n_high = high[digit];

		low[digit] = low_sum;
		high[digit] = high_sum;
		low_sum += n_low;
		high_sum += n_high;
	}
	for (size_t i = 0; i < n; i++)
		other[low[found[i] & 255]++] = found[i];
	for (size_t i = 0; i < n; i++)
		found[high[other[i] >> 8 & 255]++] = other[i];
}

/* Only those that the postings of some terms need: if they are few, all takes longer than all the rest. */
static void clean_some_sums(struct ranking *r, size_t first)
{
	for (size_t i = first; i < r->n_terms; i++) {
		const struct lw_bm25_list *list = &r->ranked[i].list;

		for (size_t j = 0; j < list->n; j++)
			r->sums[list->documents[j]] = 0;
	}
}

/* The candidates of the terms from `first` on: documents that have one of them and a sum of `bound` or more by them. */
static size_t gather(struct ranking *r, size_t first, size_t n_postings, uint32_t bound, size_t length)
{
	const struct lw_kernels *kernels = lw_kernels();

	r->in_order = 1;
	for (size_t i = first; i < r->n_terms; i++) {
		const struct ranked *ranked = &r->ranked[i];

		if (ranked->list.n == n_postings)
			return kernels->bm25_filter(ranked->list.documents, ranked->list.quanta, n_postings,
			                            ranked->weight, bound, r->found);
	}
	if (n_postings > length / SCAN_SHARE || n_postings * r->n_left > CLEAN_POSTINGS)
		clean_sums(r);
	else if (!r->clean)
		clean_some_sums(r, first);
	for (size_t i = first; i < r->n_terms; i++)
		kernels->bm25_add(r->ranked[i].list.documents, r->ranked[i].list.quanta, r->ranked[i].list.n,
		                  r->ranked[i].weight, r->sums);
	if (n_postings > length / SCAN_SHARE)
		return kernels->bm25_scan(r->sums, length, bound, r->found);
	r->in_order = 0;
	return walk(r, first, bound);
}

/* Keeps the candidates that the n_weak weakest terms can bring over the cut, by the greatest quanta of their blocks. */
static size_t drop_hopeless(const struct ranking *r, size_t n_weak, size_t n)
{
	uint32_t *found = r->found;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t candidate = found[i], sum = candidate >> 16;

		for (size_t j = 0; j < n_weak; j++) {
			const struct ranked *ranked = &r->ranked[j];
			const struct lw_bm25_list *list = &ranked->list;

			if (list->n && list->most)
				sum += 1 + ((list->most[(candidate & 0xffff) >> list->shift] << 8 | 255u) *
				                    ranked->weight >>
				            16);
			else
				sum += ranked->bound;
		}
		found[kept] = candidate;
		kept += sum > r->cut;
	}
	return kept;
}

/* Adds a weak term's quanta to the candidates, and keeps those with a sum of `bound` or more. */
static size_t complete(const struct ranked *ranked, uint32_t *found, size_t n, uint32_t bound)
{
	const struct lw_bm25_list *list = &ranked->list;
	uint32_t at[LOOKUPS];
	size_t kept = 0;

	for (size_t begin = 0; begin < n; begin += LOOKUPS) {
		size_t n_here = n - begin < LOOKUPS ? n - begin : LOOKUPS;

		lw_kernels()->bm25_find(list->documents, list->n, list->skips, list->shift, found + begin, n_here, at);
		for (size_t i = 0; i < n_here; i++)
			__builtin_prefetch(list->quanta + at[i]);
		for (size_t i = 0; i < n_here; i++) {
			/* Who has the word cannot be predicted: no branch, which a conditional expression would become. */
			uint32_t has = 0 - (uint32_t)(at[i] < list->n), candidate = found[begin + i];

			candidate += (0x10000 + (list->quanta[at[i] & has] * ranked->weight & 0xffff0000)) & has;
			found[kept] = candidate;
			kept += candidate >> 16 >= bound;
		}
	}
	return kept;
}

/* ---------------------------------------------------------------- segments */

/* How many of the weakest terms to look up instead of going through; bounds[i] is what the first i can add together. */
static size_t choose_weak(const struct ranking *r, const uint32_t *bounds, size_t length)
{
	size_t n_weak = 0, strong = 0, weak = 0;

	while (n_weak < r->n_terms && bounds[n_weak + 1] <= r->cut)
		n_weak++;
	if (n_weak == r->n_terms)
		return n_weak;
	for (size_t i = 0; i < r->n_terms; i++)
		*(i < n_weak ? &weak : &strong) += r->ranked[i].list.n;

	double all = (double)(strong + weak), lookups = (double)strong * r->lookups * LOOKUP_COST;
	double rest = all > (double)length / SCAN_SHARE ? (double)length * SCAN_COST : all * WALK_COST;
	double some =
	        (double)strong * ADD_COST + ((double)strong > (double)length / SCAN_SHARE ? (double)length * SCAN_COST
	                                                                                  : (double)strong * WALK_COST);

	if (r->ranked[r->n_terms - 1].list.n == strong)
		some = (double)strong * FILTER_COST;
	return some + lookups < all * ADD_COST + rest ? n_weak : 0;
}

static void rank_segment(struct ranking *r, uint32_t segment)
{
	size_t length = segment_length(r->bm25, segment), n_weak, n_postings = 0, n_lookups = 0, n;
	uint32_t bounds[MAX_TERMS + 1] = { 0 };

	for (size_t i = 0; i < r->n_terms; i++) {
		struct ranked *ranked = &r->ranked[i];

		ranked->list.n = 0;
		ranked->bound = 0;
		if (lw_bm25_take_list(r->bm25, &ranked->term, segment, &ranked->list))
			ranked->bound = 1 + (r->bm25->most[ranked->term.run - 1] * ranked->weight >> 16);
		bounds[i + 1] = bounds[i] + ranked->bound;
	}
	if (bounds[r->n_terms] <= r->cut || !any_passes(r, segment))
		return;
	n_weak = choose_weak(r, bounds, length);
	for (size_t i = n_weak; i < r->n_terms; i++)
		n_postings += r->ranked[i].list.n;
	for (size_t i = n_weak; i < r->n_terms; i++)
		fetch_run(r->bm25, &r->ranked[i].term);
	n = gather(r, n_weak, n_postings, r->cut - bounds[n_weak] + 1, length);
	if (r->filter)
		n = apply_filter(r, segment, n);
	for (size_t i = n_weak; i > 0 && n > 0; i--)
		if (r->ranked[i - 1].list.n) {
			n = i == n_weak || i == 1 ? drop_hopeless(r, i, n) : n;
			n_lookups += n;
			n = complete(&r->ranked[i - 1], r->found, n, r->cut - bounds[i - 1] + 1);
		}
	if (n_weak)
		r->lookups = (r->lookups + (double)n_lookups / (double)n_postings) / 2;
	/* Only now, since most are gone. */
	if (!r->in_order)
		sort_by_document(r->found, r->other, n);
	take(r, segment, n);
}

/* All documents of a segment, by all terms, in float: for queries of more terms than sums have room for. */
static void score_segment(struct ranking *r, struct lw_bm25_term *terms, uint32_t segment)
{
	size_t length = segment_length(r->bm25, segment), first = (size_t)segment * LW_BM25_SEGMENT;
	const uint64_t *words = r->filter ? r->filter + first / 64 : NULL;
	struct lw_bm25_list list;

	memset(r->scores, 0, length * sizeof *r->scores);
	for (size_t i = 0; i < r->n_terms; i++)
		if (lw_bm25_take_list(r->bm25, &terms[i], segment, &list))
			lanewise_bm25_add_parts(r->bm25, &r->formula, &list, terms[i].weight, first, r->scores);
	for (size_t i = 0; words && i < length; i++)
		r->scores[i] = words[i / 64] >> i % 64 & 1 ? r->scores[i] : 0;
	lanewise_topk_push_f32(r->topk, r->scores, length, (uint32_t)first);
}

void lanewise_bm25_rank(const lanewise_bm25 *bm25, struct lw_bm25_term *terms, size_t n_terms, const uint64_t *filter,
                        size_t k, void *scratch, lanewise_topk *topk)
{
	struct places places = lay_out(bm25, k);
	unsigned char *base = (unsigned char *)scratch + (64 - (uintptr_t)scratch % 64) % 64;
	struct ranked ranked[MAX_TERMS];
	struct ranking r = {
		.bm25 = bm25,
		.terms = terms,
		.ranked = ranked,
		.n_terms = n_terms,
		.k = k,
		.filter = filter,
		.topk = topk,
		.formula = lw_bm25_formula_of(&bm25->header),
		.sums = (uint16_t *)(void *)(base + places.sums),
		.found = (uint32_t *)(void *)(base + places.found),
		.other = (uint32_t *)(void *)(base + places.other),
		.scores = (float *)(void *)(base + places.scores),
		.histogram = (uint32_t *)(void *)(base + places.histogram),
		.pool = (uint32_t *)(void *)(base + places.pool),
		.pool_sums = (uint16_t *)(void *)(base + places.pool_sums),
		.capacity = pool_capacity(bm25, k),
		.lookups = 0.2,
	};
	if (n_terms == 0)
		return;
	if (n_terms > MAX_TERMS) {
		for (uint32_t segment; (segment = lw_bm25_next_segment(bm25, terms, n_terms)) < LW_BM25_SEGMENT;)
			score_segment(&r, terms, segment);
		return;
	}
	weigh(&r);
	for (uint32_t segment = 0, n = (uint32_t)((bm25->header.n_documents + LW_BM25_SEGMENT - 1) / LW_BM25_SEGMENT);
	     segment < n; segment++) {
		r.n_left = n - segment;
		rank_segment(&r, segment);
	}
	empty_pool(&r);
}
