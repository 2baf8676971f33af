/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as a service sends it: checks that the text is UTF-8 while it comes in, parses it once it is there, and reads
 * a string, an embedding and a picture from it without copying the rest.
 */
#include <lanewise/base64.h>
#include <lanewise/json.h>
#include <lanewise/utf8.h>

#include <stdio.h>
#include <string.h>

static const char *const pieces[] = { "{\"text\": \"caf\xc3", "\xa9 \\u2615\", \"embedding\": [0.25, -1e-3, ",
	                              "0.125], \"image\": \"Zm9vYmFy\"}" };

static int fail(const char *what, const lanewise_error *error)
{
	fprintf(stderr, "%s: %s at byte %llu\n", what, error->what, (unsigned long long)error->offset);
	return 1;
}

int main(void)
{
	char text[256], string[64];
	unsigned char image[16];
	float embedding[8];
	size_t n = 0, n_nodes, n_string, n_values, n_image;
	lanewise_json_node nodes[32];
	lanewise_utf8_state utf8 = { 0 };
	lanewise_error error;

	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		size_t length = strlen(pieces[i]);

		if (lanewise_utf8_feed(&utf8, pieces[i], length, &error) != LANEWISE_OK)
			return fail("input", &error);
		memcpy(text + n, pieces[i], length);
		n += length;
	}
	if (lanewise_json_parse(text, n, NULL, nodes, 32, &n_nodes, &error) != LANEWISE_OK)
		return fail("JSON", &error);

	size_t member = lanewise_json_member(text, nodes, 0, "text", 4);

	if (member == SIZE_MAX ||
	    lanewise_json_string(text, &nodes[member], string, sizeof string, &n_string) != LANEWISE_OK)
		return 1;
	printf("text: %.*s\n", (int)n_string, string);

	member = lanewise_json_member(text, nodes, 0, "embedding", 9);
	if (member == SIZE_MAX || lanewise_json_f32_array(text, nodes, member, embedding, 8, &n_values) != LANEWISE_OK)
		return 1;
	printf("embedding: %zu values, the second is %g\n", n_values, (double)embedding[1]);

	member = lanewise_json_member(text, nodes, 0, "image", 5);
	if (member == SIZE_MAX ||
	    lanewise_json_string(text, &nodes[member], string, sizeof string, &n_string) != LANEWISE_OK ||
	    lanewise_base64_decode(string, n_string, 0, image, sizeof image, &n_image, &error) != LANEWISE_OK)
		return 1;
	printf("image: %zu bytes\n", n_image);
	return n_values == 3 && n_image == 6 ? 0 : 1;
}
