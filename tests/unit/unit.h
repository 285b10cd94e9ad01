/* SPDX-License-Identifier: MIT */
/* main() of a unit test: the exit status comes from the failures counted,
 * and a suite without a single assertion fails too. */
#ifndef PD_TESTS_UNIT_H
#define PD_TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>

/** Is it built with AddressSanitizer? */
#if defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/** Of so many cases by chance one in how many is tried: all of them, but under
 * valgrind, where each takes thirty times as long, every tenth. */
static inline unsigned pd_unit_stride(void)
{
	return getenv("PD_VALGRIND") ? 10 : 1;
}

/** @p tests: an array of CU_TestInfo that ends with CU_TEST_INFO_NULL. */
#define PD_UNIT_MAIN(name, tests)                                          \
	int main(void)                                                     \
	{                                                                  \
		CU_SuiteInfo suites[] = {                                  \
			{ (name), NULL, NULL, NULL, NULL, (tests) },       \
			CU_SUITE_INFO_NULL                                 \
		};                                                         \
		unsigned bad = 1;                                          \
									   \
		if (CU_initialize_registry() == CUE_SUCCESS &&             \
		    CU_register_suites(suites) == CUE_SUCCESS) {           \
			CU_basic_set_mode(CU_BRM_NORMAL);                  \
			CU_basic_run_tests();                              \
			bad = CU_get_number_of_failures() +                \
			      CU_get_number_of_suites_failed() +           \
			      (CU_get_number_of_asserts() == 0);           \
		}                                                          \
		CU_cleanup_registry();                                     \
		return bad ? 1 : 0;                                        \
	}                                                                  \
	struct CU_TestInfo /* swallows the semicolon */

#endif
