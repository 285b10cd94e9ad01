/* SPDX-License-Identifier: MIT */
/* append FILE COUNT - the peer of a journaled step: the median time, in
 * milliseconds, of appending 4 KiB to a file until they are on the disk. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec t = {0};

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* @return the median of @p count appends, or below 0 */
static double measure(int fd, double *took, size_t count)
{
	static const char page[4096] = "x";

	for (size_t i = 0; i < count; i++) {
		double start = now_ms();

		if (write(fd, page, sizeof(page)) != sizeof(page) || fdatasync(fd) < 0)
			return -1;
		took[i] = now_ms() - start;
	}
	qsort(took, count, sizeof(*took), compare);
	return took[count / 2];
}

int main(int argc, char **argv)
{
	size_t count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	double *took = count ? calloc(count, sizeof(*took)) : NULL, median;
	int fd;

	if (!took) {
		fprintf(stderr, "Usage: append FILE COUNT\n");
		return 2;
	}
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	median = fd < 0 ? -1 : measure(fd, took, count);
	free(took);
	if (median < 0) {
		perror(argv[1]);
		return 1;
	}
	printf("%.4f\n", median);
	return close(fd) < 0;
}
