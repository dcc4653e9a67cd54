/* The sum of the products of two rows, and a number. */

static const float shift = NUMBER;

float dot(const float *a, const float *b, long n) {
    float sum = shift;
    for (long i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}
