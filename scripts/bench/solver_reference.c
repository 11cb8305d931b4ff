/* The algorithm of g6/analytics/volatility.py as a plain C loop, one leg at a time: the yardstick of solver.py.
 *
 * Its first-guess table is handed over by `prepare`, so that only the language differs, and with it polynomials of
 * erfcx over 4/(4 + z), which the C library lacks. What the benchmark's legs never need (very short expiries, prices
 * near their maximum) is left out: such a leg gets NaN.
 */
#include <math.h>
#include <string.h>

enum { PIECES = 100, COEFFICIENTS = 7, GUESSES = 4096, MOST_STEPS = 24 };

static const double ROOT_2 = 1.4142135623730951, ROOT_8 = 2.8284271247461903, ROOT_2PI = 2.5066282746310002;
static const double E = 2.718281828459045;
static double pieces[PIECES * COEFFICIENTS], table_u[GUESSES], table_c[GUESSES];
static double table_step;

void prepare(const double *erfcx_pieces, const double *u, const double *c, double step)
{
    memcpy(pieces, erfcx_pieces, sizeof pieces); /* the caller's arrays do not outlive the call */
    memcpy(table_u, u, sizeof table_u);
    memcpy(table_c, c, sizeof table_c);
    table_step = step;
}

static inline double erfcx_positive(double z)
{
    const double place = 4.0 * PIECES / (4.0 + z);
    int piece = (int)place;
    if (piece > PIECES - 1)
        piece = PIECES - 1;
    const double at = 2.0 * (place - piece) - 1.0, *c = pieces + COEFFICIENTS * piece;
    return c[0] + at * (c[1] + at * (c[2] + at * (c[3] + at * (c[4] + at * (c[5] + at * c[6])))));
}

static inline double erfcx(double z)
{
    return z < 0 ? 2.0 * exp(z * z) - erfcx_positive(-z) : erfcx_positive(z);
}

static inline double first_guess(double beta, double x)
{
    double place = (sqrt(log(x / beta + E)) - 1.0) / table_step;
    if (!(place <= GUESSES - 2))
        place = GUESSES - 2;
    const int row = (int)place;
    const double share = place - row;
    const double u = table_u[row] + share * (table_u[row + 1] - table_u[row]);
    const double c = table_c[row] + share * (table_c[row + 1] - table_c[row]);
    const double s = u * x + ROOT_2PI * beta, e = c * s * s;
    return s * (1.0 + e * (1.0 + 2.1 * e));
}

static inline double implied(double price, double forward, double strike, double growth, int is_call)
{
    const double undiscounted = price * growth;
    const double time_value = undiscounted - fmax(is_call ? forward - strike : strike - forward, 0.0);
    if (!(time_value > 4.5e-16 * undiscounted && time_value < fmin(forward, strike) && strike < INFINITY))
        return NAN;
    const double x = fabs(log(forward / strike)), beta = time_value / sqrt(forward * strike);
    double s = first_guess(beta, x);
    for (int count = 0; count <= MOST_STEPS; count++) {
        const double z = x / s * (1 / ROOT_2), t = s * (1 / ROOT_8);
        if (!(t >= 0.003 && t <= 1.5))
            return NAN;
        const double bracket = erfcx(z - t) - erfcx(z + t), z2 = z * z, t2 = t * t;
        const double error = log(0.5 * bracket / beta) - t2 - z2;
        const double g = 2.0 / ROOT_2PI * s / bracket, newton = error / g;
        const double step = fmin(newton / (1.0 + 0.5 * newton * (g - 2.0 * (z2 - t2))), 0.5);
        s -= s * step;
        if (fabs(step) <= 1e-5)
            return s;
    }
    return NAN;
}

void implied_volatility(int n, const double *price, double forward, const double *strike, double years, double rate,
                        const unsigned char *is_call, double *vol)
{
    const double growth = exp(rate * years), root = sqrt(years);
    for (int i = 0; i < n; i++)
        vol[i] = implied(price[i], forward, strike[i], growth, is_call[i]) / root;
}

static inline double cumulative(double d, double bell)
{
    const double tail = 0.5 * bell * erfcx_positive(fabs(d) * (1 / ROOT_2));
    return d > 0 ? 1.0 - tail : tail;
}

/* `columns` takes delta, gamma, theta, vega and rho, one after another. */
void greeks(int n, double forward, const double *strike, double years, double rate, const double *vol,
            const unsigned char *is_call, double *columns)
{
    const double root = sqrt(years), discount = exp(-rate * years), spot = forward * discount;
    for (int i = 0; i < n; i++) {
        const double ratio = forward / strike[i], total = vol[i] * root, sign = is_call[i] ? 1.0 : -1.0;
        const double d1 = log(ratio) / total + 0.5 * total, bell = exp(-0.5 * d1 * d1);
        const double paid = sign * strike[i] * cumulative(sign * (d1 - total), ratio * bell);
        const double vega = bell * (spot * root * 0.01 / ROOT_2PI);
        columns[i] = sign * cumulative(sign * d1, bell);
        columns[n + i] = bell / (spot * ROOT_2PI * total);
        columns[2 * n + i] = vega * vol[i] * (-0.5 / (years * 0.01 * 365.0)) - paid * (rate * discount / 365.0);
        columns[3 * n + i] = vega;
        columns[4 * n + i] = paid * (discount * years * 0.01);
    }
}
