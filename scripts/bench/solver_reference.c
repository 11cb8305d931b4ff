/* The algorithm of g6/analytics/implied.py and black.py as a plain C loop, one leg at a time: the yardstick of
 * solver.py. The tables are those of the Python modules, handed over by `use_tables`. Only what the benchmark's legs
 * need is here: small t, prices that have a volatility. A leg that needs more gets NaN.
 */
#include <math.h>
#include <stddef.h>

static const double *mills_nodes, *inverse_distance, *slope, *curvature;

void use_tables(const double *mills, const double *inverse, const double *first, const double *second)
{
    mills_nodes = mills;
    inverse_distance = inverse;
    slope = first;
    curvature = second;
}

static double mills_ratio(double h)
{
    const size_t nearest = (size_t)(h * 512 + 0.5);
    const double node = nearest * (1.0 / 512), d = h - node, node_d = node * d, d2 = d * d;
    double before = mills_nodes[nearest], term = node_d * before - d, total = before + term;
    for (int n = 2; n <= 4; n++) {
        const double next = (before * d2 + node_d * term) * (1.0 / n);
        before = term;
        term = next;
        total += term;
    }
    return total;
}

static double mills_difference(double h, double t)
{
    const double t2 = t * t, h2 = h * h;
    double term = (1 - h * mills_ratio(h)) * t, total = term, carried = t;
    for (int k = 0; k < 5; k++) {
        const double next = ((h2 + (4 * k + 3)) * term - carried) * t2 * (1.0 / ((2 * k + 2) * (2 * k + 3)));
        carried = t2 * term;
        term = next;
        total += term;
    }
    return 2 * total;
}

static double first_guess(double x, double beta, double log_ratio)
{
    double v = sqrt(12 - fmin(log_ratio, 12)) * 256;
    const size_t node = (size_t)(v + 0.5);
    v -= (double)node;
    const double inverse = inverse_distance[node] * (1 + v * (slope[node] + v * curvature[node]));
    const double s = fmax(x, beta * 6.14421235332821e-06) * inverse, s2 = s * s;
    return s * (1 + s2 * (1.0 / 24 + s2 * (7.0 / 1920)));
}

static double implied(double price, double forward, double strike, double years, double rate, int is_call)
{
    const double undiscounted = price * exp(rate * years), difference = forward - strike, gap = fabs(difference);
    const double time_value = (difference > 0) == is_call ? undiscounted - gap : undiscounted;
    const double lower = fmin(forward, strike), upper = fmax(forward, strike), lost = 4.5e-16 * undiscounted;
    if (!(time_value > lost && lower - time_value > lost && lower > 0 && upper < INFINITY && years > 0))
        return NAN;
    const double root = sqrt(lower * upper), beta = time_value / root, z = gap / lower, ratio = 1 + z;
    const double x = log(ratio) + (z - (ratio - 1)) / ratio;
    double s = first_guess(x, beta, log(time_value / fmax(gap, time_value * 6.14421235332821e-06)));
    for (int steps = 0; steps < 8; steps++) {
        const double h = x / s, t = 0.5 * s, h2 = h * h, t2 = t * t;
        if (t >= 0.125)
            return NAN;
        const double spread = mills_difference(h, t);
        const double newton = -spread * (log(spread / beta * 0.3989422804014327) - 0.5 * (h2 + t2));
        const double q = (h2 - t2) / s, g = 1 / spread, second = q - g;
        const double third = second * (q - 2 * g) - (3 * h2 / (s * s) + 0.25);
        const double moved =
            newton * (1 + 0.5 * second * newton) / (1 + second * newton + third * newton * newton * (1.0 / 6));
        s += moved;
        if (fabs(moved) < 3e-5 * s)
            return s / sqrt(years);
    }
    return NAN;
}

void implied_volatilities(size_t n, const double *price, const double *forward, const double *strike,
                          const double *years, double rate, const unsigned char *is_call, double *volatility)
{
    for (size_t i = 0; i < n; i++)
        volatility[i] = implied(price[i], forward[i], strike[i], years[i], rate, is_call[i]);
}

void greeks(size_t n, const double *forward, const double *strike, const double *years, double rate,
            const double *volatility, const unsigned char *is_call, double *delta, double *gamma, double *theta,
            double *vega, double *rho)
{
    for (size_t i = 0; i < n; i++) {
        const double root_years = sqrt(years[i]), s = volatility[i] * root_years, discount = exp(-rate * years[i]);
        const double side = is_call[i] ? 1 : -1, spot = forward[i] * discount;
        const double d1 = log(forward[i] / strike[i]) / s + 0.5 * s, d2 = d1 - s;
        const double density = 0.3989422804014327 * exp(-0.5 * d1 * d1);
        const double paid = side * strike[i] * discount * 0.5 * erfc(-side * d2 * M_SQRT1_2);
        const double spot_density = spot * density;
        delta[i] = side * 0.5 * erfc(-side * d1 * M_SQRT1_2);
        gamma[i] = density / (spot * s);
        theta[i] = (-spot_density * volatility[i] / (2 * root_years) - rate * paid) * (1.0 / 365);
        vega[i] = spot_density * root_years * 0.01;
        rho[i] = paid * years[i] * 0.01;
    }
}
