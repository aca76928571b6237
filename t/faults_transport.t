#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for answers of S3 that do not arrive, or not whole.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Time::HiRes qw/ time /;

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ random_bytes wait_for /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $t = Test::Registry->node($s3, timeout => 1,
    registry => 'registry_s3_patience 2s;');

# what S3 does; what it is after that: 503 if it may pass, 502 if the answer
# is wrong

my %faults = (
    'no answer' => [ { hang => 1 }, 503 ],
    'closed' => [ { close => 1 }, 503 ],
    'reset' => [ { close => 1, reset => 1 }, 503 ],
    'cut in the status line' => [ { cut_header => 8 }, 503 ],
    'cut in the header' => [ { cut_header => 100 }, 503 ],
    'cut before the body' => [ { cut_body => 0 }, 503 ],
    'cut in the body' => [ { cut_body => 20 }, 503 ],
    'cut by a reset' => [ { cut_body => 20, reset => 1 }, 503 ],
    'stalled in the body' => [ { stall => 20 }, 503 ],
    'fewer bytes than announced' => [ { length => 5 }, 503 ],
    'no S3 at all' => [ { status => 200, body => "<html>\n</html>\n" }, 502 ],
);

my @names = sort keys %faults;

# links, manifests, blobs; one repository for each fault

my (%manifest, %blob, $round);

sub content {
    my ($i, $what) = @_;

    return $what eq 'blob' ? random_bytes(200_000, "$round $i")
        : qq({"schemaVersion":2,"annotations":{"x":"$round $i $what"}});
}

sub fill {
    $round = shift;

    for my $i (0 .. $#names) {
        my $name = "team/$round-$i";

        $layout->manifest($name, content($i, 'tag'), 'tag');
        $manifest{$i} = $layout->manifest($name, content($i, 'manifest'),
            'manifest');
        $blob{$i} = $layout->blob($name, content($i, 'blob'));
    }

    return;
}

sub break_all {
    my (%more) = @_;

    for my $i (0 .. $#names) {
        my %fault = (%{$faults{$names[$i]}[0]}, %more);

        $s3->fault(key => qr{team/$round-$i/.*/tag/current/link$}, %fault);
        $s3->fault(key => qr{\Q@{[ $layout->blob_key($_) ]}\E}, %fault)
            for $manifest{$i}, $blob{$i};
    }

    return;
}

sub ask_all {
    return $t->client->parallel([ map { my $i = $_;
        [ 'GET', "/v2/team/$round-$i/manifests/tag" ],
        [ 'GET', "/v2/team/$round-$i/manifests/manifest" ],
        [ 'GET', "/v2/team/$round-$i/blobs/$blob{$i}" ] } 0 .. $#names ]);
}

sub whole {
    my @r = @_;
    my @bad;

    for my $i (0 .. $#names) {
        for my $what (qw/ tag manifest blob /) {
            my $r = shift @r;
            push @bad, "$names[$i], $what: " . $r->status . ' ' . $r->error
                unless $r->status == 200 && $r->complete
                    && $r->body eq content($i, $what);
        }
    }

    return join '; ', @bad;
}

# for good

fill('good');
break_all();
my @r = ask_all();

for my $i (0 .. $#names) {
    my $name = $names[$i];
    my $status = $faults{$name}[1];
    my ($tag, $manifest, $blob) = splice @r, 0, 3;

    for (['tag', $tag], ['manifest', $manifest]) {
        my ($what, $r) = @$_;

        is($r->status, $status, "$name, $what - $status");
        is($r->code, $status == 503 ? 'UNAVAILABLE' : 'UNKNOWN',
            "$name, $what - code");
        ok(defined $r->header('Retry-After') == ($status == 503),
            "$name, $what - Retry-After");
    }

    # of a blob the header may be out when it happens; then the connection
    # ends before the body does

    ok($blob->complete ? $blob->status == $status : $blob->error eq 'cut',
        "$name, blob - no whole answer")
        or diag $blob->error, "\n", $blob->head;
}

like($t->log(), qr/\[error\].*registry: S3 GET .* failed/, 'in the log');

# it all comes back, from S3 and not from a broken copy

$s3->clear_faults();
is(wait_for(sub { whole(ask_all()) eq '' }, 3) ? '' : whole(ask_all()), '',
    'all are well with S3');
is(whole(ask_all()), '', 'and once more, from the cache');

# once: the client does not notice, unless it was told a wrong length

delete @faults{'no S3 at all', 'fewer bytes than announced'};
@names = sort keys %faults;

# a node that has not spent its retries yet
$t = Test::Registry->node($s3, timeout => 1);

fill('once');
break_all(times => 1);
is(whole(ask_all()), '', 'a fault that passes');

# each try is signed when it is sent

my @tries = $s3->requests(key => qr{team/once-\d+/.*/tag/current/link$});
is(scalar(grep { abs(stamp($_->{date}) - $_->{time}) > 2 } @tries), 0,
    'each try has its own date');

# a large blob that breaks off again and again goes on from where it was

my $large = $layout->generated('team/large', 8_000_000, 'breaks');

$s3->clear_faults();
$t = Test::Registry->node($s3, timeout => 1);
$s3->fault(key => qr{\Q@{[ $layout->blob_key($large) ]}\E}, times => 3,
    cut_body => 2_000_000);

my $r = $t->request('GET', "/v2/team/large/blobs/$large", digest => 1);

is($r->error, '', 'breaks off three times - whole');
is('sha256:' . $r->sha256, $large, 'breaks off three times - bytes');
cmp_ok($s3->count(key => qr/data$/, range => qr/^bytes=[1-9]/), '>=', 3,
    'breaks off three times - goes on by ranges');

$r = $t->request('GET', "/v2/team/large/blobs/$large", digest => 1);
is('sha256:' . $r->sha256, $large, 'breaks off - later');

# nobody there

$layout->manifest('team/refused', '{"schemaVersion":2}', 'v1');
$s3->stop();
$r = $t->get('/v2/team/refused/manifests/v1');

is($r->status, 503, 'refused');
is($r->code, 'UNAVAILABLE', 'refused - code');
ok($r->header('Retry-After'), 'refused - Retry-After');

$s3->start();
ok(wait_for(sub { $t->get('/v2/team/refused/manifests/v1')->status == 200 },
    3), 'back again');

finish();

###############################################################################

sub stamp {
    my ($date) = @_;

    require Time::Local;
    my @t = $date =~ /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/ or return 0;
    return Time::Local::timegm($t[5], $t[4], $t[3], $t[2], $t[1] - 1, $t[0]);
}

###############################################################################
