/* median.h - of times measured several times. */
#ifndef UB_PERF_MEDIAN_H
#define UB_PERF_MEDIAN_H

double perf_median(int count, double *values); /* the upper of two; sorts them */

#endif
