/* SPDX-License-Identifier: Apache-2.0 */
/* The three outputs: a table to read, JSON and CSV for programs. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static double ns_per_unit(const struct bench_case *c, double seconds) { return seconds * 1e9 / c->units; }

static double gb_per_second(const struct bench_case *c, const struct bench_contender *contender)
{
	return c->bytes / contender->seconds.median * 1e-9;
}

/* Each tier is compared with scalar, with every peer and with every bound; scalar only if it stands alone. */
static int is_compared(const struct bench_case *c, size_t other, size_t ours)
{
	const struct bench_contender *x = &c->contender[ours], *y = &c->contender[other];
	int ours_beside_scalar = 0;

	for (size_t i = 0; i < c->n_contenders; i++)
		ours_beside_scalar |= c->contender[i].kind == BENCH_OURS && c->contender[i].tier > 0;
	if (other == ours || x->kind != BENCH_OURS || (x->tier == 0 && ours_beside_scalar))
		return 0;
	return y->kind != BENCH_OURS || y->tier == 0;
}

/* ------------------------------------------------------------------ table */

static void table_begin(const struct bench *bench)
{
	char model[64];
	double load[1] = { 0 };

	lanewise_cpu_model(model, sizeof model);
	if (getloadavg(load, 1) != 1)
		load[0] = -1;
	printf("lanewise %s on %s, core %d, tier %s; L1d %zu KiB, L2 %zu KiB, L3 %zu KiB; load %.2f; peers:",
	       lanewise_version(), model, bench->cpu, lanewise_tier_name(lanewise_active_tier()),
	       bench->cache_bytes[0] >> 10, bench->cache_bytes[1] >> 10, bench->cache_bytes[2] >> 10, load[0]);
	for (size_t i = 0; i < bench->n_peers; i++)
		printf(" %s", bench->peer[i]->name);
	printf("%s\n%s\n", bench->n_peers ? "" : " none",
	       "Median and quartiles of the rounds; ratios are medians of time(other) / time(ours) within a round.");
	if (bench->cold)
		printf("Cold: the caches are emptied before every sample.\n");
}

static void table_case(const struct bench_case *c)
{
	printf("\n%s  %s  %s  (%zu%s rounds)\n", c->kernel, c->workload, c->size, c->n_rounds,
	       c->quiet ? " quiet" : " disturbed");
	for (size_t i = 0; i < c->n_contenders; i++) {
		const struct bench_contender *x = &c->contender[i];

		printf("  %-22s %10.3f ns/%s [%.3f %.3f] %8.2f GB/s%s", x->name, ns_per_unit(c, x->seconds.median),
		       c->unit, ns_per_unit(c, x->seconds.p25), ns_per_unit(c, x->seconds.p75), gb_per_second(c, x),
		       x->wrong ? "  DIFFERENT RESULT" : "");
		for (size_t a = 0; a < c->n_contenders; a++)
			if (is_compared(c, a, i)) {
				struct bench_spread ratio = bench_ratio(c, a, i);

				printf("  %s %.2fx [%.2f %.2f]", c->contender[a].name, ratio.median, ratio.p25,
				       ratio.p75);
			}
		printf("\n");
	}
	fflush(stdout);
}

/* ------------------------------------------------------------------- JSON */

static void json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			printf("\\u%04x", (unsigned)*text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void json_spread(const char *name, struct bench_spread s, double factor)
{
	printf("\"%s\": {\"p25\": %.9g, \"median\": %.9g, \"p75\": %.9g}", name, s.p25 * factor, s.median * factor,
	       s.p75 * factor);
}

static void json_begin(const struct bench *bench)
{
	char model[64];

	lanewise_cpu_model(model, sizeof model);
	printf("{\"version\": \"%s\", \"cpu\": ", lanewise_version());
	json_string(model);
	printf(", \"core\": %d, \"tier\": \"%s\", \"l1d_bytes\": %zu, \"l2_bytes\": %zu, \"l3_bytes\": %zu, \"cold\": "
	       "%s,\n"
	       "\"peers\": [",
	       bench->cpu, lanewise_tier_name(lanewise_active_tier()), bench->cache_bytes[0], bench->cache_bytes[1],
	       bench->cache_bytes[2], bench->cold ? "true" : "false");
	for (size_t i = 0; i < bench->n_peers; i++) {
		printf("%s{\"name\": ", i ? ", " : "");
		json_string(bench->peer[i]->name);
		printf(", \"version\": ");
		json_string(bench->peer[i]->version);
		printf("}");
	}
	printf("],\n\"cases\": [");
}

static const char *kind_name(enum bench_kind kind)
{
	return kind == BENCH_OURS ? "tier" : kind == BENCH_PEER ? "peer" : "reference";
}

static void json_ratios(const struct bench_case *c, size_t ours)
{
	const char *separator = "";

	printf("\"ratios\": {");
	for (size_t a = 0; a < c->n_contenders; a++)
		if (is_compared(c, a, ours)) {
			printf("%s", separator);
			json_spread(c->contender[a].name, bench_ratio(c, a, ours), 1);
			separator = ", ";
		}
	printf("}");
}

static void json_case(const struct bench_case *c)
{
	printf("%s\n{\"kernel\": \"%s\", \"workload\": \"%s\", \"size\": \"%s\", \"unit\": \"%s\", \"units\": %.0f, "
	       "\"bytes\": "
	       "%.0f, \"rounds\": %zu, \"quiet\": %s, \"contenders\": [",
	       c->bench->n_cases ? "," : "", c->kernel, c->workload, c->size, c->unit, c->units, c->bytes, c->n_rounds,
	       c->quiet ? "true" : "false");
	for (size_t i = 0; i < c->n_contenders; i++) {
		const struct bench_contender *x = &c->contender[i];

		printf("%s\n  {\"name\": \"%s\", \"kind\": \"%s\", \"calls\": %zu, \"gb_per_s\": %.6g, "
		       "\"same_result\": %s, ",
		       i ? "," : "", x->name, kind_name(x->kind), x->calls, gb_per_second(c, x),
		       x->wrong ? "false" : "true");
		json_spread("ns_per_unit", x->seconds, 1e9 / c->units);
		printf(", ");
		json_ratios(c, i);
		printf("}");
	}
	printf("]}");
	fflush(stdout);
}

/* -------------------------------------------------------------------- CSV */

/* One line a contender and a comparison; a contender that is compared with none has one line without. */
static void csv_line(const struct bench_case *c, size_t i, const char *other, struct bench_spread ratio)
{
	const struct bench_contender *x = &c->contender[i];

	printf("%s,%s,%s,%s,%s,%s,%zu,%d,%.6g,%.6g,%.6g,%.6g,%d,%s,%.6g,%.6g,%.6g\n", c->kernel, c->workload, c->size,
	       x->name, kind_name(x->kind), c->unit, c->n_rounds, c->quiet, ns_per_unit(c, x->seconds.p25),
	       ns_per_unit(c, x->seconds.median), ns_per_unit(c, x->seconds.p75), gb_per_second(c, x), !x->wrong, other,
	       ratio.p25, ratio.median, ratio.p75);
}

static void csv_case(const struct bench_case *c)
{
	for (size_t i = 0; i < c->n_contenders; i++) {
		int lines = 0;

		for (size_t a = 0; a < c->n_contenders; a++)
			if (is_compared(c, a, i)) {
				csv_line(c, i, c->contender[a].name, bench_ratio(c, a, i));
				lines++;
			}
		if (lines == 0)
			csv_line(c, i, "", (struct bench_spread) { 0, 0, 0 });
	}
	fflush(stdout);
}

/* ----------------------------------------------------------------- choice */

void bench_report_begin(struct bench *bench)
{
	if (bench->format == BENCH_JSON)
		json_begin(bench);
	else if (bench->format == BENCH_CSV)
		printf("kernel,workload,size,contender,kind,unit,rounds,quiet,ns_p25,ns_median,ns_p75,gb_per_s,same_"
		       "result,"
		       "other,"
		       "ratio_p25,ratio_median,ratio_p75\n");
	else
		table_begin(bench);
}

void bench_report_case(const struct bench_case *c)
{
	if (c->bench->format == BENCH_JSON)
		json_case(c);
	else if (c->bench->format == BENCH_CSV)
		csv_case(c);
	else
		table_case(c);
}

void bench_report_end(struct bench *bench)
{
	if (bench->format == BENCH_JSON)
		printf("\n]}\n");
}
