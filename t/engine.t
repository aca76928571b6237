#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests with Docker Engine and containerd: images that distribution has pushed
# are pulled by the name that every host resolves to itself, run, and counted.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry::Engine qw/
    enter_namespaces host_name static_program architecture
/;

BEGIN { enter_namespaces() }

use Test::Registry;
use Test::Registry::Distribution;
use Test::Registry::Gateway;
use Test::Registry::Image;
use Test::Registry::Tools qw/ skopeo_push /;
use Test::Registry::Util qw/ temp_dir need /;

###############################################################################

need(qw/ skopeo docker-registry dockerd docker ctr gcc /);

my $name = 'docker-local.example.com';
host_name($name);

my $s3 = Test::Registry::Gateway->new(local => 1);
my $distribution = Test::Registry::Distribution->new($s3);

my %content = (
    layers => [ map { 20_000 * $_ } 1 .. 9 ], command => [ '/hello' ],
    files => { hello => [ static_program('pulled and run'), 0755 ] },
    architecture => architecture()
);

my $oci = Test::Registry::Image->new(%content);
my $docker = Test::Registry::Image->new(%content, type => 'docker',
    seed => 'docker');
my $other = Test::Registry::Image->new(layers => [ 10 ],
    architecture => 's390x');

my %images = (oci => $oci, docker => $docker,
    multi => Test::Registry::Image->index($oci, $other));

my ($status, $output, $t);

for my $image (sort keys %images) {
    ($status, $output) = skopeo_push(
        $images{$image}->write_dir(temp_dir("push/$image")),
        $distribution->port, "team/$image:v1");

    is($status, 0, "$image pushed by distribution") or diag $output;
}

$distribution->stop();

my $engine = Test::Registry::Engine->new();

# Docker Engine

for my $image (sort keys %images) {
    my $reference = "$name:5000/team/$image:v1";

    $t = node();
    ($status, $output) = $engine->docker('pull', $reference);

    is($status, 0, "docker pull $image") or diag $output;
    cmp_ok($s3->count(), '<=', $image eq 'multi' ? 15 : 13,
        "docker pull $image - requests") or diag requests();

    my $digest = $images{$image}->digest;
    like($output, qr/Digest: \Q$digest\E/, "docker pull $image - digest");

    ($status, $output) = $engine->docker(qw/ run --rm --network none /,
        $reference);
    is($output, "pulled and run\n", "docker run $image");

    # again: the layers are here, only the tag is asked for

    ($status, $output) = again($image,
        sub { $engine->docker('rmi', $reference) },
        sub { $engine->docker('pull', $reference) });

    is($status, 0, "docker pull $image again") or diag $output;
    is($s3->count(), 0, "docker pull $image again - requests")
        or diag requests();

    expired();
    $engine->docker('rmi', $reference);
    $s3->forget();
    $engine->docker('pull', $reference);
    cmp_ok($s3->count(), '<=', 1, "docker pull $image later - requests")
        or diag requests();

    $engine->docker('rmi', $reference);
    $t->stop();
}

# what is not there says so

$t = node();
($status, $output) = $engine->docker('pull', "$name:5000/team/none:v1");

isnt($status, 0, 'docker pull of nothing');
like($output, qr/not found|manifest unknown/, 'docker pull of nothing - says');
unlike($output, qr/login|denied/, 'docker pull of nothing - no login');
$t->stop();

# containerd, by a mirror that stands in for the name

my $hosts = $engine->hosts_dir($name, 'http://127.0.0.1:5000');

for my $image (sort keys %images) {
    my $reference = "$name/team/$image:v1";

    $t = node();
    ($status, $output) = $engine->ctr_pull($hosts, $reference);

    is($status, 0, "ctr pull $image") or diag $output;
    cmp_ok($s3->count(), '<=', $image eq 'multi' ? 15 : 13,
        "ctr pull $image - requests") or diag requests();

    my @without = grep { $_->{request_uri} !~ /[?&]ns=\Q$name\E/ }
        $t->access();
    is(scalar(@without), 0, "ctr pull $image - every request says ns");

    ($status, $output) = $engine->ctr('images', 'ls', '-q');
    like($output, qr/^\Q$reference\E$/m, "ctr pull $image - it is there");

    ($status, $output) = $engine->ctr('run', '--rm', '--snapshotter',
        'native', $reference, "run-$image");
    is($output, "pulled and run\n", "ctr run $image");

    ($status, $output) = again($image,
        sub { $engine->ctr('images', 'rm', '--sync', $reference) },
        sub { $engine->ctr_pull($hosts, $reference) });

    is($status, 0, "ctr pull $image again") or diag $output;
    is($s3->count(), 0, "ctr pull $image again - requests")
        or diag requests();
    $engine->ctr('images', 'rm', '--sync', $reference);
    $t->stop();
}

$engine->stop();
finish();

###############################################################################

sub node {
    my $node = Test::Registry->node($s3, ports => { '' => 5000 },
        registry => "registry_ns $name;");

    $s3->forget();
    return $node;
}


# A pull less than a second after the tag was asked for; on a busy machine the
# client may need several tries to be that fast.

sub again {
    my ($image, $remove, $pull) = @_;
    my @result;

    for (1 .. 5) {
        $remove->();
        expired();
        $t->head("/v2/team/$image/manifests/v1");
        $s3->forget();
        @result = $pull->();
        last if $result[0] || !$s3->count();
    }

    return @result;
}


sub requests {
    return map { "$_->{operation} $_->{key} $_->{target}\n" }
        $s3->requests();
}


sub expired {
    my $end = time() + 2;

    select undef, undef, undef, 0.1 while time() <= $end;
    return;
}

###############################################################################
