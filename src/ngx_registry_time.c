
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_time.h"


static int ngx_registry_time_number(const u_char **p, const u_char *last,
    unsigned width, char end);
static int64_t ngx_registry_time_offset(const u_char *p, const u_char *last);
static int64_t ngx_registry_time_days(int64_t year, int month, int day);


int64_t
ngx_registry_time_parse(const u_char *p, const u_char *last)
{
    int      year, month, day, hour, min, sec;
    int64_t  t, offset;

    static const int  days[] = { 31, 29, 31, 30, 31, 30,
                                 31, 31, 30, 31, 30, 31 };

    year = ngx_registry_time_number(&p, last, 4, '-');
    month = ngx_registry_time_number(&p, last, 2, '-');
    day = ngx_registry_time_number(&p, last, 2, 'T');
    hour = ngx_registry_time_number(&p, last, 2, ':');
    min = ngx_registry_time_number(&p, last, 2, ':');
    sec = ngx_registry_time_number(&p, last, 2, '\0');

    /* sec is the last one that can fail: a failure takes all others along */

    if (sec < 0 || sec > 60 || min > 59 || hour > 23 || month < 1
        || month > 12 || day < 1 || day > days[month - 1])
    {
        return -1;
    }

    if (month == 2 && day == 29
        && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
    {
        return -1;
    }

    if (p < last && *p == '.') {

        p++;

        if (p == last || *p < '0' || *p > '9') {
            return -1;
        }

        while (p < last && *p >= '0' && *p <= '9') {
            p++;
        }
    }

    offset = ngx_registry_time_offset(p, last);

    if (offset == INT64_MAX) {
        return -1;
    }

    t = ngx_registry_time_days(year, month, day) * 86400
        + hour * 3600 + min * 60 + sec - offset;

    return (t < 0) ? -1 : t;
}


static int
ngx_registry_time_number(const u_char **p, const u_char *last,
    unsigned width, char end)
{
    int            n;
    unsigned       i;
    const u_char  *s;

    s = *p;

    if (s == NULL || (size_t) (last - s) < width + (end ? 1 : 0)) {
        *p = NULL;
        return -1;
    }

    n = 0;

    for (i = 0; i < width; i++) {

        if (s[i] < '0' || s[i] > '9') {
            *p = NULL;
            return -1;
        }

        n = n * 10 + (s[i] - '0');
    }

    if (end) {

        if (s[width] != (u_char) end) {
            *p = NULL;
            return -1;
        }

        width++;
    }

    *p = s + width;

    return n;
}


/*
 * Seconds, or INT64_MAX.
 */
static int64_t
ngx_registry_time_offset(const u_char *p, const u_char *last)
{
    int     sign, hour, min;

    if (last - p == 1 && (*p == 'Z' || *p == 'z')) {
        return 0;
    }

    if (last - p < 5 || (*p != '+' && *p != '-')) {
        return INT64_MAX;
    }

    sign = (*p == '-') ? -1 : 1;
    p++;

    hour = ngx_registry_time_number(&p, last, 2, (p[2] == ':') ? ':' : '\0');
    min = ngx_registry_time_number(&p, last, 2, '\0');

    if (min < 0 || min > 59 || hour > 23 || p != last) {
        return INT64_MAX;
    }

    return sign * (hour * 3600 + min * 60);
}


static int64_t
ngx_registry_time_days(int64_t year, int month, int day)
{
    int64_t  era, yoe, doy;

    /* days since the epoch, proleptic Gregorian calendar */

    if (month <= 2) {
        year--;
    }

    era = ((year >= 0) ? year : year - 399) / 400;
    yoe = year - era * 400;
    doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}
