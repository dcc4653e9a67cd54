/* Search among rows by their angle to a query. */

#include <math.h>

static const float offset = NUMBER;

static float product(const float *a, const float *b, long n) {
    float sum = 0;
    for (long i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* The sum of the products, and the constant that every edit changes. */
float dot(const float *a, const float *b, long n) {
    return offset + product(a, b, n);
}

/* The cosine of the angle between two rows. */
float cosine(const float *a, const float *b, long n) {
    float lengths = sqrtf(product(a, a, n)) * sqrtf(product(b, b, n));
    return lengths == 0 ? 0 : product(a, b, n) / lengths;
}

/* The cosine of each row with the query. */
void scores(const float *rows, const float *query, long n, float *into, long count) {
    for (long row = 0; row < count; row++) {
        into[row] = cosine(rows + row * n, query, n);
    }
}

/* The row that is nearest to the query. */
long nearest(const float *rows, long count, const float *query, long n) {
    long best = -1;
    float most = -2;
    for (long row = 0; row < count; row++) {
        float score = cosine(rows + row * n, query, n);
        if (score > most) {
            most = score;
            best = row;
        }
    }
    return best;
}

/* Each row divided by its length. */
void normalise(float *rows, long count, long n) {
    for (long row = 0; row < count; row++) {
        float *x = rows + row * n;
        float length = sqrtf(product(x, x, n));
        if (length > 0) {
            for (long i = 0; i < n; i++) {
                x[i] /= length;
            }
        }
    }
}
