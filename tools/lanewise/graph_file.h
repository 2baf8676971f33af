/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs with names from edge lists and JSON. Faults in a file end the command with its place. */
#ifndef LW_TOOL_GRAPH_FILE_H
#define LW_TOOL_GRAPH_FILE_H

#include <lanewise/graph.h>

#include "tool.h"

struct graph_file {
	struct buffer text; /* the file */
	struct buffer names_text;
	lanewise_names *names;   /* nodes are numbered in order of first mention */
	unsigned char *declared; /* [node] the file names it as a node, not only in edges */
	size_t n_names, n_edges;
	uint32_t *src, *dst; /* [edge] */
	double *weight;      /* [edge], or NULL if none was given */
	size_t *line;        /* [edge], or NULL for JSON */
	int declares;        /* JSON with "nodes" */
};

/* Reads a file, or standard input for "-". */
void graph_file_read(struct graph_file *file, const char *path);

lanewise_graph *graph_file_create(const struct graph_file *file, const char *path);

/* The number of a node, or LANEWISE_GRAPH_NONE. */
uint32_t graph_file_find(const struct graph_file *file, const char *name);

void graph_file_free(struct graph_file *file);

#endif
