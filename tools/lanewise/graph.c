/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise graph: PageRank, betweenness, order, validation, components and paths of a graph in a file. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <lanewise/graph.h>

#include "graph_file.h"
#include "json.h"
#include "tool.h"
#include "utf8.h"

static void print_help(void)
{
	puts("Usage: lanewise graph pagerank|betweenness|topo|validate|components|path FILE [options]\n"
	     "\n"
	     "FILE is an edge list, a line \"SOURCE TARGET\" or \"SOURCE TARGET WEIGHT\" for each edge, a single name "
	     "for a\n"
	     "node, # before a comment; or JSON, if it begins with a brace: {\"nodes\": [...], \"edges\": [...]}, "
	     "where a node\n"
	     "is a name or {\"id\": name}, and an edge [source, target], [source, target, weight] or {\"source\": "
	     "name,\n"
	     "\"target\": name, \"weight\": number}. - is standard input.\n"
	     "\n"
	     "pagerank     the nodes by descending rank\n"
	     "      -k N             only the best N\n"
	     "      --damping X      0.85 unless told\n"
	     "      --tolerance X    1e-6 unless told\n"
	     "      --iterations N   at most so many, 100 unless told\n"
	     "      --seed NAME      start over at this node alone; may be given more than once\n"
	     "      --drop           lose the ranks of nodes without edges instead of sharing them out\n"
	     "betweenness  the nodes by descending share of shortest paths that pass through them\n"
	     "      -k N             only the best N\n"
	     "      --sample N       estimated from the paths from N nodes drawn by chance, not from all\n"
	     "      --random-seed N  of that chance, 0 unless told\n"
	     "topo         the nodes by level: every node after all that have an edge to it\n"
	     "validate     cycles, nodes that cannot be reached, edges to nodes that \"nodes\" does not name\n"
	     "      --root NAME      reached from this node, which may be given more than once; unless told, from all\n"
	     "                       nodes without edges to them\n"
	     "components   weakly connected components, or with --strong strongly connected ones\n"
	     "path         a shortest path by number of edges\n"
	     "      --from NAME --to NAME   its ends\n"
	     "\n"
	     "      --json           one JSON object\n"
	     "      --dot            the graph and the result for Graphviz (not for validate or path)\n"
	     "      --help           this text\n"
	     "\n"
	     "Exit status: 0 done, 1 an error in the data or the system, a cycle in topo, no path, or a fault that "
	     "validate found,\n"
	     "2 wrong usage.");
}

struct options {
	const char *path, **seeds, *from, *to;
	size_t k, n_seeds;
	lanewise_betweenness_options betweenness;
	lanewise_pagerank_options pagerank;
	int json, dot, strong;
};

static void check(const char *path, lanewise_status status)
{
	if (status)
		tool_fail("%s: %s", path, lanewise_status_text(status));
}

static void *scratch_of(size_t n_bytes)
{
	if (!n_bytes)
		tool_fail("out of memory");
	return tool_allocate(n_bytes, 1);
}

/* ------------------------------------------------------------------ printing */

static void print_name(const struct graph_file *file, uint32_t node)
{
	size_t n_bytes;
	const char *text = lanewise_names_get(file->names, node, &n_bytes);

	utf8_print_line(stdout, text, n_bytes, 0);
}

static void print_json_name(const struct graph_file *file, uint32_t node)
{
	size_t n_bytes;
	const char *text = lanewise_names_get(file->names, node, &n_bytes);

	json_write_string(stdout, text, n_bytes);
}

static void print_json_names(const struct graph_file *file, const char *key, const uint32_t *nodes, size_t n)
{
	printf("\"%s\":[", key);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? "," : "", stdout);
		print_json_name(file, nodes[i]);
	}
	putchar(']');
}

static void print_json_sizes(const struct graph_file *file)
{
	printf("{\"nodes\":%zu,\"edges\":%zu,", file->n_names, file->n_edges);
}

/* Names as Graphviz takes them between quotation marks. */
static void print_dot_name(const struct graph_file *file, uint32_t node)
{
	size_t n_bytes;
	const char *text = lanewise_names_get(file->names, node, &n_bytes);

	for (size_t i = 0; i < n_bytes; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			putchar('\\');
		putchar(c < ' ' || c == 0x7f ? '?' : c);
	}
}

/* The graph, with a second line of each node's label: a number from `level` or `rank`, whichever is not NULL. */
static void print_dot(const struct graph_file *file, const lanewise_graph *graph, const uint32_t *level,
                      const double *rank)
{
	const uint32_t *offset = lanewise_graph_offsets(graph), *target = lanewise_graph_targets(graph);

	puts("digraph {");
	for (uint32_t u = 0; u < file->n_names; u++) {
		printf("  n%lu [label=\"", (unsigned long)u);
		print_dot_name(file, u);
		if (rank)
			printf("\\n%.6g", rank[u]);
		else
			printf("\\n%lu", (unsigned long)level[u]);
		puts("\"];");
	}
	for (uint32_t u = 0; u < file->n_names; u++)
		for (uint32_t i = offset[u]; i < offset[u + 1]; i++)
			printf("  n%lu -> n%lu;\n", (unsigned long)u, (unsigned long)target[i]);
	puts("}");
}

/* ------------------------------------------------------------------ pagerank */

struct ranked {
	uint32_t node;
	double rank;
};

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->rank < y->rank || x->rank > y->rank)
		return x->rank < y->rank ? 1 : -1;
	return x->node < y->node ? -1 : 1;
}

/* `what` and `whats` name a figure and all of them in JSON. */
static void print_ranks(const struct options *options, const struct graph_file *file, const char *what,
                        const char *whats, const double *rank)
{
	size_t n = file->n_names, shown = options->k && options->k < n ? options->k : n;
	struct ranked *ranked = tool_allocate(n, sizeof *ranked);

	for (uint32_t u = 0; u < n; u++)
		ranked[u] = (struct ranked) { u, rank[u] };
	qsort(ranked, n, sizeof *ranked, by_rank);
	if (options->json)
		printf("\"%s\":[", whats);
	for (size_t i = 0; i < shown; i++) {
		if (options->json) {
			printf("%s{\"node\":", i ? "," : "");
			print_json_name(file, ranked[i].node);
			printf(",\"%s\":%.17g}", what, ranked[i].rank);
		} else {
			printf("%.9f  ", ranked[i].rank);
			print_name(file, ranked[i].node);
			putchar('\n');
		}
	}
	if (options->json)
		puts("]}");
	free(ranked);
}

static uint32_t find_node(const struct options *options, const struct graph_file *file, const char *name)
{
	uint32_t node = graph_file_find(file, name);

	if (node == LANEWISE_GRAPH_NONE)
		tool_fail("%s: there is no node %s", options->path, name);
	return node;
}

static int run_pagerank(const struct options *options, const struct graph_file *file, const lanewise_graph *graph)
{
	size_t n = file->n_names;
	double *rank = tool_allocate(n, sizeof *rank), *wanted = NULL;
	lanewise_pagerank *pagerank = NULL;
	lanewise_pagerank_result result;
	lanewise_error error;

	if (options->n_seeds) {
		wanted = tool_allocate(n, sizeof *wanted);
		for (size_t u = 0; u < n; u++)
			wanted[u] = 0;
		for (size_t i = 0; i < options->n_seeds; i++)
			wanted[find_node(options, file, options->seeds[i])] = 1;
	}
	if (lanewise_pagerank_create(graph, 1, NULL, &pagerank, &error))
		tool_fail("%s: %s", options->path, error.what);

	void *scratch = scratch_of(lanewise_pagerank_run_scratch_size(pagerank));

	if (lanewise_pagerank_run(pagerank, &options->pagerank, wanted, scratch, rank, &result, &error))
		tool_fail("%s: %s", options->path, error.what);
	if (!result.converged)
		tool_note("%s: not converged after %lu iterations, the last of which changed %g in all", options->path,
		          (unsigned long)result.iterations, result.change);
	if (options->dot) {
		print_dot(file, graph, NULL, rank);
	} else {
		if (options->json) {
			print_json_sizes(file);
			printf("\"iterations\":%lu,\"converged\":%s,\"change\":%.17g,",
			       (unsigned long)result.iterations, result.converged ? "true" : "false", result.change);
		}
		print_ranks(options, file, "rank", "ranks", rank);
	}
	lanewise_pagerank_destroy(pagerank);
	free(scratch);
	free(wanted);
	free(rank);
	return TOOL_OK;
}

/* --------------------------------------------------------------- betweenness */

/* Edges given twice are one path, as NetworkX has it. */
static lanewise_graph *without_duplicates(const struct options *options, const struct graph_file *file)
{
	const lanewise_graph_options drop = { sizeof drop, LANEWISE_GRAPH_DROP, LANEWISE_GRAPH_DROP };
	lanewise_graph *simple = NULL;

	check(options->path, lanewise_graph_create(file->n_names, file->src, file->dst, NULL, file->n_edges, &drop,
	                                           NULL, &simple, NULL));
	return simple;
}

static int run_betweenness(const struct options *options, const struct graph_file *file, const lanewise_graph *graph)
{
	double *centrality = tool_allocate(file->n_names, sizeof *centrality);
	lanewise_graph *simple = without_duplicates(options, file);
	void *scratch = scratch_of(lanewise_graph_betweenness_scratch_size(simple));
	lanewise_error error;

	if (lanewise_graph_betweenness(simple, &options->betweenness, scratch, centrality, &error))
		tool_fail("%s: %s", options->path, error.what);
	if (options->dot) {
		print_dot(file, graph, NULL, centrality);
	} else {
		if (options->json)
			print_json_sizes(file);
		print_ranks(options, file, "centrality", "centralities", centrality);
	}
	lanewise_graph_destroy(simple);
	free(scratch);
	free(centrality);
	return TOOL_OK;
}

/* --------------------------------------------------------------------- topo */

static size_t find_cycle(const struct options *options, const lanewise_graph *graph, uint32_t *cycle)
{
	void *scratch = scratch_of(lanewise_graph_find_cycle_scratch_size(graph));
	size_t n;

	check(options->path, lanewise_graph_find_cycle(graph, scratch, cycle, &n));
	free(scratch);
	return n;
}

static void print_cycle(const struct graph_file *file, const uint32_t *cycle, size_t n)
{
	fputs("cycle:", stdout);
	for (size_t i = 0; i <= n; i++) {
		fputs(i ? " -> " : " ", stdout);
		print_name(file, cycle[i % n]);
	}
	putchar('\n');
}

static void print_order(const struct options *options, const struct graph_file *file, const uint32_t *order, size_t n,
                        const uint32_t *level)
{
	if (options->json) {
		print_json_sizes(file);
		fputs("\"levels\":[", stdout);
	}
	for (size_t i = 0; i < n; i++) {
		if (options->json) {
			int begins = i == 0 || level[order[i]] != level[order[i - 1]];

			fputs(i == 0 ? "[" : begins ? "],[" : ",", stdout);
			print_json_name(file, order[i]);
		} else {
			printf("%lu  ", (unsigned long)level[order[i]]);
			print_name(file, order[i]);
			putchar('\n');
		}
	}
	if (options->json)
		puts(n ? "]]}" : "]}");
}

static int run_topo(const struct options *options, const struct graph_file *file, const lanewise_graph *graph)
{
	size_t n = file->n_names, n_ordered;
	uint32_t *order = tool_allocate(n, sizeof *order), *level = tool_allocate(n, sizeof *level);
	void *scratch = scratch_of(lanewise_graph_topo_scratch_size(graph));
	lanewise_status status = lanewise_graph_topo(graph, scratch, order, &n_ordered, level, NULL, NULL);

	if (status == LANEWISE_ERROR_DATA) {
		size_t n_cycle = find_cycle(options, graph, order);

		if (options->json) {
			print_json_sizes(file);
			print_json_names(file, "cycle", order, n_cycle);
			puts("}");
		} else {
			print_cycle(file, order, n_cycle);
		}
		tool_note("%s: there is no order, for there is a cycle of %zu node%s", options->path, n_cycle,
		          n_cycle == 1 ? "" : "s");
	} else {
		check(options->path, status);
		if (options->dot)
			print_dot(file, graph, level, NULL);
		else
			print_order(options, file, order, n_ordered, level);
	}
	free(scratch);
	free(order);
	free(level);
	return status ? TOOL_FAILURE : TOOL_OK;
}

/* ----------------------------------------------------------------- validate */

static size_t find_roots(const struct options *options, const struct graph_file *file, const lanewise_graph *graph,
                         uint32_t *roots)
{
	size_t n = file->n_names, n_roots = 0;
	uint32_t *count;

	if (options->n_seeds) {
		for (size_t i = 0; i < options->n_seeds; i++)
			roots[i] = find_node(options, file, options->seeds[i]);
		return options->n_seeds;
	}
	count = tool_allocate(n, sizeof *count);
	check(options->path, lanewise_graph_ready_start(graph, count, roots, &n_roots));
	free(count);
	return n_roots;
}

/* The nodes that cannot be reached from the roots. */
static size_t find_unreachable(const struct options *options, const struct graph_file *file,
                               const lanewise_graph *graph, uint32_t *nodes)
{
	size_t n = file->n_names, found = 0, n_roots;
	uint32_t *roots = tool_allocate(n + options->n_seeds, sizeof *roots), *level = tool_allocate(n, sizeof *level);
	void *scratch = scratch_of(lanewise_graph_bfs_scratch_size(graph));

	n_roots = find_roots(options, file, graph, roots);
	check(options->path, lanewise_graph_bfs(graph, NULL, roots, n_roots, scratch, level, NULL, NULL));
	for (uint32_t u = 0; u < n; u++)
		if (level[u] == LANEWISE_GRAPH_NONE)
			nodes[found++] = u;
	free(scratch);
	free(level);
	free(roots);
	return found;
}

static void print_nodes(const struct graph_file *file, const char *what, const uint32_t *nodes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf("%s: ", what);
		print_name(file, nodes[i]);
		putchar('\n');
	}
}

static int run_validate(const struct options *options, const struct graph_file *file, const lanewise_graph *graph)
{
	size_t n = file->n_names, n_cycle, n_unreachable, n_dangling, n_undeclared = 0;
	uint32_t *cycle = tool_allocate(n, sizeof *cycle), *unreachable = tool_allocate(n, sizeof *cycle);
	uint32_t *dangling = tool_allocate(n, sizeof *cycle), *undeclared = tool_allocate(n, sizeof *cycle);

	n_cycle = find_cycle(options, graph, cycle);
	n_unreachable = find_unreachable(options, file, graph, unreachable);
	check(options->path, lanewise_graph_dangling(graph, dangling, &n_dangling));
	for (uint32_t u = 0; u < n; u++)
		if (file->declares && !file->declared[u])
			undeclared[n_undeclared++] = u;

	int valid = !n_cycle && !n_unreachable && !n_undeclared;

	if (options->json) {
		print_json_sizes(file);
		printf("\"valid\":%s,", valid ? "true" : "false");
		print_json_names(file, "cycle", cycle, n_cycle);
		putchar(',');
		print_json_names(file, "unreachable", unreachable, n_unreachable);
		putchar(',');
		print_json_names(file, "undeclared", undeclared, n_undeclared);
		putchar(',');
		print_json_names(file, "ends", dangling, n_dangling);
		puts("}");
	} else {
		if (n_cycle)
			print_cycle(file, cycle, n_cycle);
		print_nodes(file, "unreachable", unreachable, n_unreachable);
		print_nodes(file, "undeclared", undeclared, n_undeclared);
		printf("%s: %zu nodes, %zu edges, %zu nodes without edges from them\n", valid ? "valid" : "not valid",
		       n, file->n_edges, n_dangling);
	}
	free(cycle);
	free(unreachable);
	free(dangling);
	free(undeclared);
	return valid ? TOOL_OK : TOOL_FAILURE;
}

/* --------------------------------------------------------------- components */

/* The nodes of each component side by side: component c's from begin[c] to begin[c + 1] - 1. */
static void gather_components(const uint32_t *component, size_t n, size_t n_components, size_t *begin, uint32_t *nodes)
{
	for (size_t c = 0; c <= n_components; c++)
		begin[c] = 0;
	for (size_t u = 0; u < n; u++)
		begin[component[u] + 1]++;
	for (size_t c = 0; c < n_components; c++)
		begin[c + 1] += begin[c];
	for (size_t u = n; u-- > 0;)
		nodes[--begin[component[u] + 1]] = (uint32_t)u;
	memmove(begin, begin + 1, n_components * sizeof *begin);
	begin[n_components] = n;
}

static void print_components(const struct options *options, const struct graph_file *file, const uint32_t *component,
                             size_t n_components)
{
	uint32_t *nodes = tool_allocate(file->n_names, sizeof *nodes);
	size_t *begin = tool_allocate(n_components + 1, sizeof *begin);

	gather_components(component, file->n_names, n_components, begin, nodes);
	if (options->json) {
		print_json_sizes(file);
		fputs("\"components\":[", stdout);
	}
	for (size_t c = 0; c < n_components; c++) {
		fputs(!options->json ? "" : c ? ",[" : "[", stdout);
		for (size_t i = begin[c]; i < begin[c + 1]; i++) {
			fputs(i == begin[c] ? "" : options->json ? "," : "  ", stdout);
			if (options->json)
				print_json_name(file, nodes[i]);
			else
				print_name(file, nodes[i]);
		}
		putchar(options->json ? ']' : '\n');
	}
	if (options->json)
		puts("]}");
	free(begin);
	free(nodes);
}

static int run_components(const struct options *options, const struct graph_file *file, const lanewise_graph *graph)
{
	uint32_t *component = tool_allocate(file->n_names, sizeof *component);
	void *scratch = scratch_of(lanewise_graph_strong_components_scratch_size(graph));
	size_t n;

	if (options->strong)
		check(options->path, lanewise_graph_strong_components(graph, scratch, component, &n));
	else
		check(options->path, lanewise_graph_weak_components(graph, component, &n));
	if (options->dot)
		print_dot(file, graph, component, NULL);
	else
		print_components(options, file, component, n);
	free(scratch);
	free(component);
	return TOOL_OK;
}

/* --------------------------------------------------------------------- path */

static int run_path(const struct options *options, const struct graph_file *file, const lanewise_graph *graph)
{
	uint32_t from = find_node(options, file, options->from), to = find_node(options, file, options->to);
	uint32_t *path = tool_allocate(file->n_names, sizeof *path);
	void *scratch = scratch_of(lanewise_graph_path_scratch_size(graph));
	lanewise_graph *transposed = NULL;
	size_t n;

	check(options->path, lanewise_graph_transpose_create(graph, NULL, &transposed));
	check(options->path, lanewise_graph_path(graph, transposed, from, to, scratch, path, &n));
	if (options->json) {
		print_json_sizes(file);
		print_json_names(file, "path", path, n);
		puts("}");
	}
	for (size_t i = 0; !options->json && i < n; i++) {
		print_name(file, path[i]);
		putchar('\n');
	}
	if (!n)
		tool_note("%s: there is no path from %s to %s", options->path, options->from, options->to);
	lanewise_graph_destroy(transposed);
	free(scratch);
	free(path);
	return n ? TOOL_OK : TOOL_FAILURE;
}

/* ------------------------------------------------------------------- command */

static const struct action {
	const char *name;
	int (*run)(const struct options *options, const struct graph_file *file, const lanewise_graph *graph);
} actions[] = {
	{ "pagerank", run_pagerank }, { "betweenness", run_betweenness }, { "topo", run_topo },
	{ "validate", run_validate }, { "components", run_components },   { "path", run_path },
};

static double parse_number(const char *option, const char *text, double most)
{
	char *end;
	double number = strtod(text, &end);

	if (end == text || *end || !(number >= 0 && number <= most))
		tool_fail_usage("graph", "%s is a number from 0 to %g, not %s", option, most, text);
	return number;
}

static uint32_t parse_count(const char *option, const char *text)
{
	double number = parse_number(option, text, 1e9);

	if (number < 1 || number > (double)(uint32_t)number)
		tool_fail_usage("graph", "%s is a whole number from 1, not %s", option, text);
	return (uint32_t)number;
}

static int run(const struct action *action, const struct options *options)
{
	struct graph_file file;
	lanewise_graph *graph = NULL;
	int status;

	if (options->dot && (options->json || action->run == run_validate || action->run == run_path))
		tool_fail_usage("graph", "--dot goes neither with --json nor with validate or path");
	if (action->run == run_path && (!options->from || !options->to))
		tool_fail_usage("graph", "path needs --from and --to");
	graph_file_read(&file, options->path);
	graph = graph_file_create(&file, options->path);
	status = action->run(options, &file, graph);
	lanewise_graph_destroy(graph);
	graph_file_free(&file);
	return status;
}

static const struct action *find_action(int n, char **arguments)
{
	if (n != 2)
		tool_fail_usage("graph", "what to do and one FILE are needed");
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (strcmp(actions[i].name, arguments[0]) == 0)
			return &actions[i];
	tool_fail_usage("graph", "pagerank, betweenness, topo, validate, components or path, not %s", arguments[0]);
}

int tool_graph(int argc, char **argv)
{
	enum {
		DAMPING = 256,
		TOLERANCE,
		ITERATIONS,
		SEED,
		DROP,
		SAMPLE,
		RANDOM_SEED,
		ROOT,
		STRONG,
		FROM,
		TO,
		JSON,
		DOT,
		HELP
	};
	static const struct option long_options[] = {
		{ "damping", required_argument, NULL, DAMPING },
		{ "tolerance", required_argument, NULL, TOLERANCE },
		{ "iterations", required_argument, NULL, ITERATIONS },
		{ "seed", required_argument, NULL, SEED },
		{ "drop", no_argument, NULL, DROP },
		{ "sample", required_argument, NULL, SAMPLE },
		{ "random-seed", required_argument, NULL, RANDOM_SEED },
		{ "root", required_argument, NULL, ROOT },
		{ "from", required_argument, NULL, FROM },
		{ "to", required_argument, NULL, TO },
		{ "strong", no_argument, NULL, STRONG },
		{ "json", no_argument, NULL, JSON },
		{ "dot", no_argument, NULL, DOT },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .seeds = tool_allocate((size_t)argc, sizeof *options.seeds) };
	const char *form = NULL;
	int status;

	options.betweenness = (lanewise_betweenness_options) { sizeof options.betweenness, 0, 0, 1 };
	options.pagerank = (lanewise_pagerank_options) { sizeof options.pagerank, 0.85, 1e-6, 100, 0 };
	for (int option, i; (option = getopt_long(argc, argv, "k:", long_options, &i)) != -1;) {
		if (option == JSON || option == DOT)
			tool_choose("graph", &form, long_options[i].name);
		switch (option) {
		case 'k':
			options.k = parse_count("-k", optarg);
			break;
		case DAMPING:
			options.pagerank.damping = parse_number("--damping", optarg, 1);
			break;
		case TOLERANCE:
			options.pagerank.tolerance = parse_number("--tolerance", optarg, 1);
			break;
		case ITERATIONS:
			options.pagerank.max_iterations = parse_count("--iterations", optarg);
			break;
		case SEED:
		case ROOT:
			options.seeds[options.n_seeds++] = optarg;
			break;
		case DROP:
			options.pagerank.dangling = LANEWISE_PAGERANK_DROP;
			break;
		case SAMPLE:
			options.betweenness.n_samples = parse_count("--sample", optarg);
			break;
		case RANDOM_SEED:
			options.betweenness.seed = (uint64_t)parse_number("--random-seed", optarg, 0x1p53);
			break;
		case FROM:
			options.from = optarg;
			break;
		case TO:
			options.to = optarg;
			break;
		case STRONG:
			options.strong = 1;
			break;
		case JSON:
			options.json = 1;
			break;
		case DOT:
			options.dot = 1;
			break;
		case HELP:
			print_help();
			free(options.seeds);
			return TOOL_OK;
		default:
			fputs("Try 'lanewise graph --help'.\n", stderr);
			free(options.seeds);
			return TOOL_USAGE;
		}
	}

	const struct action *action = find_action(argc - optind, argv + optind);

	options.path = argv[optind + 1];
	status = run(action, &options);
	free(options.seeds);
	return status;
}
