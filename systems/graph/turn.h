/* turn.h - transposition, for the sources that are compiled once for each real type. */
#ifndef UB_TURN_H
#define UB_TURN_H

#include <stdint.h>

/* Squares of SIDE numbers a side go through registers, so that both sides are read and written
 * whole lines at a time: 3 times as fast as number by number. */
#if defined UB_REAL_IS_float && defined __SSE2__ && defined __GNUC__
#include <xmmintrin.h>

enum { SIDE = 4 };

static inline void turn_square(float *out, int64_t out_row, const float *in, int64_t in_row)
{
    __m128 a = _mm_loadu_ps(in), b = _mm_loadu_ps(in + in_row);
    __m128 c = _mm_loadu_ps(in + 2 * in_row), d = _mm_loadu_ps(in + 3 * in_row);
    const __m128 ab = _mm_unpacklo_ps(a, b), ab2 = _mm_unpackhi_ps(a, b);
    const __m128 cd = _mm_unpacklo_ps(c, d), cd2 = _mm_unpackhi_ps(c, d);
    _mm_storeu_ps(out, _mm_movelh_ps(ab, cd));
    _mm_storeu_ps(out + out_row, _mm_movehl_ps(cd, ab));
    _mm_storeu_ps(out + 2 * out_row, _mm_movelh_ps(ab2, cd2));
    _mm_storeu_ps(out + 3 * out_row, _mm_movehl_ps(cd2, ab2));
}
#else
enum { SIDE = 1 };

static inline void turn_square(UB_REAL *out, int64_t out_row, const UB_REAL *in, int64_t in_row)
{
    (void)out_row, (void)in_row;
    *out = *in;
}
#endif

/* out (columns, rows) = in (rows, columns) transposed; rows of each are out_row and in_row apart.
 */
static inline void turn(int64_t rows, int64_t columns, UB_REAL *out, int64_t out_row,
                        const UB_REAL *in, int64_t in_row)
{
    const int64_t whole_rows = rows - rows % SIDE, whole_columns = columns - columns % SIDE;
    enum { TILE = 16 }; /* of both sides, in cache */
    for (int64_t i0 = 0; i0 < whole_rows; i0 += TILE)
        for (int64_t j0 = 0; j0 < whole_columns; j0 += TILE) {
            const int64_t i1 = i0 + TILE < whole_rows ? i0 + TILE : whole_rows;
            const int64_t j1 = j0 + TILE < whole_columns ? j0 + TILE : whole_columns;
            for (int64_t j = j0; j < j1; j += SIDE)
                for (int64_t i = i0; i < i1; i += SIDE)
                    turn_square(out + j * out_row + i, out_row, in + i * in_row + j, in_row);
        }
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = i < whole_rows ? whole_columns : 0; j < columns; j++)
            out[j * out_row + i] = in[i * in_row + j];
}

#endif
