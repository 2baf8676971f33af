/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"
#include <lanewise/secrets.h>

int main(void)
{
	lanewise_error error = { 0 };
	size_t n = 0;
	CHECK_EQUAL(lanewise_secrets_check_examples(NULL, 0, NULL, &n, &error), LANEWISE_OK);
	printf("%zu examples; %s\n", n, error.what);
	return test_result();
}
