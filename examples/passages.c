/* SPDX-License-Identifier: Apache-2.0 */
/* A document is cut into passages of whole sentences that overlap, each small enough for an embedding model. */
#include <lanewise/text_chunk.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
	static const char text[] =
	        "Dr. Snow mapped the cases of cholera. He found a pump in Broad Street at their centre. "
	        "Its handle was taken off.\n\nThe epidemic ended. It may have been ending before.";
	lanewise_text_chunk_options options;
	lanewise_text_chunk chunk;
	lanewise_text_chunker *chunker;
	lanewise_error error;
	size_t n_chunks = 0;

	lanewise_text_chunk_options_default(&options);
	options.unit = LANEWISE_TEXT_CHUNK_SENTENCES;
	options.size = 80; /* characters */
	options.overlap = 40;
	options.trim = 1;

	void *scratch = malloc(lanewise_text_chunker_scratch_size());

	if (lanewise_text_chunker_begin(scratch, text, strlen(text), &options, &chunker, &error) != LANEWISE_OK) {
		fprintf(stderr, "%s\n", error.what);
		return 1;
	}
	while (lanewise_text_chunker_next(chunker, &chunk, 1) > 0) {
		const char *passage = text + chunk.begin;
		size_t n_bytes = (size_t)(chunk.end - chunk.begin);

		printf("about %d tokens: %.*s\n", (int)lanewise_text_tokens(passage, n_bytes), (int)n_bytes, passage);
		n_chunks++;
	}
	free(scratch);
	return n_chunks == 3 ? 0 : 1;
}
