package Test::Registry::SigV4;

# Copyright (C) The ngx_registry_module authors

# AWS Signature Version 4 of S3, both ways, with no code of the module: what
# it signs must be right in the eyes of somebody else.

###############################################################################

use warnings;
use strict;

use Digest::SHA qw/ sha256_hex hmac_sha256 hmac_sha256_hex /;
use POSIX qw/ strftime /;
use Time::Local qw/ timegm /;

use Test::Registry::Util qw/ uri_escape uri_unescape /;

our $EMPTY = sha256_hex('');

###############################################################################

# Request line target and headers of a signed request.
# method, host, path (decoded), query (hash), headers (hash), body or sha256,
# access_key, secret_key, token, region, time

sub sign {
    my (%r) = @_;

    my $date = strftime('%Y%m%dT%H%M%SZ', gmtime($r{time} // time));
    my $sha = $r{sha256} // sha256_hex($r{body} // '');

    my %headers = (
        host => $r{host}, 'x-amz-date' => $date,
        'x-amz-content-sha256' => $sha,
        defined $r{token} ? ('x-amz-security-token' => $r{token}) : (),
        map { lc() => $r{headers}{$_} } keys %{$r{headers} // {}}
    );

    my @signed = sort grep { $_ eq 'host' || /^x-amz-/ } keys %headers;
    my $query = canonical_query($r{query} // {});
    my $path = uri_escape($r{path}, '/');
    my $scope = join '/', substr($date, 0, 8), $r{region}, 's3',
        'aws4_request';

    my $canonical = join "\n", $r{method}, $path, $query,
        (map { "$_:" . trim($headers{$_}) } @signed), '',
        join(';', @signed), $sha;

    $headers{authorization} = 'AWS4-HMAC-SHA256 '
        . "Credential=$r{access_key}/$scope, "
        . 'SignedHeaders=' . join(';', @signed) . ', '
        . 'Signature=' . signature($r{secret_key}, $scope, $date, $canonical);

    return ($path . (length $query ? "?$query" : ''), \%headers);
}


sub signature {
    my ($secret, $scope, $date, $canonical) = @_;

    my $key = "AWS4$secret";
    $key = hmac_sha256($_, $key) for split m{/}, $scope;

    return hmac_sha256_hex(join("\n", 'AWS4-HMAC-SHA256', $date, $scope,
        sha256_hex($canonical)), $key);
}


sub canonical_query {
    my ($query) = @_;

    return join '&', sort map {
        uri_escape($_) . '=' . uri_escape($query->{$_} // '')
    } keys %$query;
}


sub trim {
    my ($s) = @_;

    s/^\s+//, s/\s+$//, s/\s+/ /g for $s;
    return $s;
}

###############################################################################

# What S3 finds wrong with a request: nothing, or status, code, message and
# more elements of the error document.
# $r: method, target, headers (array of [name, value]), body_sha256, or undef
# if the body was not read.  $o: region, time, keys (hash by access key:
# secret, token, expired); service: not s3 but another one, which is told the
# hash of the body by nothing but the signature.

sub verify {
    my ($r, $o) = @_;

    my %h;
    push @{$h{lc $_->[0]}}, $_->[1] for @{$r->{headers}};

    my $authorization = $h{authorization}
        or return (403, 'AccessDenied', 'Access Denied');

    return (400, 'InvalidArgument', 'Only one auth mechanism allowed')
        if @$authorization > 1;

    my ($credential, $list, $signature) = $authorization->[0] =~
        m{^AWS4-HMAC-SHA256\ Credential=([^,\s]+),\ ?
          SignedHeaders=([^,\s]+),\ ?Signature=([0-9a-f]{64})$}x
        or return (400, 'AuthorizationHeaderMalformed',
            'The authorization header is malformed.');

    my ($access_key, $day, $region, @rest) = split m{/}, $credential;
    my $scope = join '/', $day, $region, @rest;

    return (400, 'AuthorizationHeaderMalformed',
        'The authorization header is malformed.')
        if "@rest" ne ($o->{service} // 's3') . ' aws4_request';

    return (400, 'AuthorizationHeaderMalformed', 'The authorization header '
        . "is malformed; the region '$region' is wrong; expecting "
        . "'$o->{region}'", Region => $o->{region})
        if $region ne $o->{region};

    my $key = $o->{keys}{$access_key}
        or return (403, 'InvalidAccessKeyId', 'The AWS Access Key Id you '
            . 'provided does not exist in our records.',
            AWSAccessKeyId => $access_key);

    my $date = ($h{'x-amz-date'} // [''])->[0];
    my @t = $date =~ /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/
        or return (403, 'AccessDenied', 'AWS authentication requires a '
            . 'valid Date or x-amz-date header');

    return (403, 'SignatureDoesNotMatch', 'Date in Credential scope does '
        . 'not match YYYYMMDD from ISO-8601 version of date from HTTP')
        if substr($date, 0, 8) ne $day;

    my $time = timegm($t[5], $t[4], $t[3], $t[2], $t[1] - 1, $t[0]);

    return (403, 'RequestTimeTooSkewed', 'The difference between the request '
        . 'time and the current time is too large.', RequestTime => $date,
        ServerTime => strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $o->{time}),
        MaxAllowedSkewMilliseconds => 900000)
        if abs($time - $o->{time}) > 900;

    my $sha = $h{'x-amz-content-sha256'}
        // ($o->{service} ? [$r->{body_sha256}] : undef)
        or return (400, 'InvalidRequest', 'Missing required header for this '
            . 'request: x-amz-content-sha256');

    my @signed = split /;/, $list;
    my %signed = map { $_ => 1 } @signed;
    my @unsigned = grep { !$signed{$_} } sort grep {
        $_ eq 'host' || /^x-amz-/
    } keys %h;

    return (403, 'AccessDenied', 'There were headers present in the request '
        . 'which were not signed', HeadersNotSigned => "@unsigned")
        if @unsigned;

    my ($path, $query) = $r->{target} =~ /^([^?]*)(?:\?(.*))?$/s;
    my @pairs = map { [ map { uri_escape(uri_unescape($_)) }
        (split /=/, $_, 2), '' ] } split /&/, $query // '';

    my $canonical = join "\n", $r->{method},
        uri_escape(uri_unescape($path), '/'),
        join('&', map { "$_->[0]=$_->[1]" }
            sort { $a->[0] cmp $b->[0] || $a->[1] cmp $b->[1] } @pairs),
        (map { "$_:" . join ',', map { trim($_) } @{$h{$_} // ['']} }
            sort keys %signed), '', join(';', sort keys %signed), $sha->[0];

    return (403, 'SignatureDoesNotMatch', 'The request signature we '
        . 'calculated does not match the signature you provided. Check your '
        . 'key and signing method.', CanonicalRequest => $canonical)
        if "@signed" ne join(' ', sort keys %signed)
            || signature($key->{secret}, $scope, $date, $canonical)
               ne $signature;

    my $token = ($h{'x-amz-security-token'} // [''])->[0];

    return (400, 'InvalidToken', 'The provided token is malformed or '
        . 'otherwise invalid.')
        if $token ne ($key->{token} // '');

    return (400, 'ExpiredToken', 'The provided token has expired.')
        if $key->{expired};

    return (400, 'XAmzContentSHA256Mismatch', 'The provided '
        . "'x-amz-content-sha256' header does not match what was computed.")
        if defined $r->{body_sha256} && $sha->[0] =~ /^[0-9a-f]{64}$/
            && $sha->[0] ne $r->{body_sha256};

    return;
}

###############################################################################

1;

###############################################################################
