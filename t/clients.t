#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests with images that CNCF distribution has pushed into the bucket, pulled
# through nginx by skopeo and crane, bit for bit.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Distribution;
use Test::Registry::Gateway;
use Test::Registry::Image;
use Test::Registry::Tools qw/ skopeo skopeo_push skopeo_pull crane /;
use Test::Registry::Util qw/ temp_dir need need_inside read_file /;

###############################################################################

need(qw/ skopeo docker-registry /);

# distribution's rootdirectory is our prefix

for my $prefix ('', 'some/root') {
    my $in = $prefix ? ', below a prefix' : '';

    my $s3 = Test::Registry::Gateway->new(prefix => $prefix);
    my $distribution = Test::Registry::Distribution->new($s3);
    my %images = images();

    for my $name (sort keys %images) {
        my $dir = temp_dir("push/$name");
        my $from = $name =~ /docker/ ? $images{$name}->write_dir($dir)
            : $images{$name}->write_oci($dir, 'v1');
        my ($status, $output) = skopeo_push($from, $distribution->port,
            "team/$name:v1");

        is($status, 0, "$name pushed by distribution$in") or diag $output;
    }

    my $t = Test::Registry->node($s3);

    for my $name (sort keys %images) {
        for my $time ('first', 'again') {
            my $dir = temp_dir("pull/$prefix/$name/$time");
            my ($status, $output) = skopeo_pull($t->port, "team/$name:v1",
                $dir);

            is($status, 0, "$name pulled by skopeo, $time$in")
                or diag $output;
            is($images{$name}->compare_dir($dir), '',
                "$name pulled by skopeo, $time - bytes$in");
        }

        my $digest = $images{$name}->digest;
        my ($status, $output) = skopeo('inspect', '--tls-verify=false',
            '--raw', 'docker://127.0.0.1:' . $t->port
            . "/team/$name\@$digest");

        is($output, $images{$name}->manifest, "$name inspected by digest$in");
    }

    my ($status, $output) = skopeo('list-tags', '--tls-verify=false',
        'docker://127.0.0.1:' . $t->port . '/team/oci');
    like($output, qr/"Tags": \[\s*"v1"\s*\]/, "tags listed by skopeo$in");

    SKIP: {
        need_inside('crane', 5);

        my $base = '127.0.0.1:' . $t->port;

        for my $name (sort keys %images) {
            my $digest = $images{$name}->digest;

            is((crane('digest', "$base/team/$name:v1"))[1], "$digest\n",
                "$name by crane - digest$in");
            is((crane('manifest', "$base/team/$name:v1"))[1],
                $images{$name}->manifest, "$name by crane - manifest$in");
            is((crane('validate', '--remote', "$base/team/$name:v1"))[0], 0,
                "$name by crane - every layer$in");
        }

        is((crane('ls', "$base/team/oci"))[1], "v1\n", "crane ls$in");
        is((crane('catalog', $base))[1], join('', map { "team/$_\n" }
            sort keys %images), "crane catalog$in");
    }

    # the same names by both registries

    my $theirs = Test::Registry::Client->new(port => $distribution->port);

    for my $path ('tags/list', 'manifests/v1', 'manifests/'
        . $images{oci}->digest, 'blobs/' . ($images{oci}->layers)[0]{digest})
    {
        my $ours = $t->get("/v2/team/oci/$path");
        my $r = $theirs->get("/v2/team/oci/$path",
            Accept => 'application/vnd.oci.image.manifest.v1+json');
        my $short = substr $path, 0, 20;

        is($ours->status, $r->status, "$short as distribution - status$in");
        $path =~ /list/ ? is_deeply($ours->json, $r->json,
            "$short as distribution - names$in")
            : ok($ours->body eq $r->body,
                "$short as distribution - bytes$in");
        is($ours->header('Docker-Content-Digest'),
            $r->header('Docker-Content-Digest'),
            "$short as distribution - digest$in");
    }

    # what they push while we run is there at once, when nobody asked before

    my $more = Test::Registry::Image->new(layers => [ 1000 ]);
    skopeo_push($more->write_oci(temp_dir("push/more$prefix"), 'v2'),
        $distribution->port, 'team/oci:v2');
    is($t->get('/v2/team/oci/manifests/v2')->body, $more->manifest,
        "pushed while we run$in");

    $distribution->stop();
}

finish();

###############################################################################

sub images {
    my $oci = Test::Registry::Image->new(layers => [ 0, 512, 3_000_000 ]);
    my $arm = Test::Registry::Image->new(layers => [ 700 ],
        architecture => 'arm64');
    my $docker = Test::Registry::Image->new(type => 'docker',
        layers => [ 1, 12_000_000 ]);
    my $docker_arm = Test::Registry::Image->new(type => 'docker',
        layers => [ 2000 ], architecture => 'arm64');

    return (
        'oci' => $oci, 'docker' => $docker,
        'oci-index' => Test::Registry::Image->index($oci, $arm),
        'docker-list' => Test::Registry::Image->index($docker, $docker_arm)
    );
}

###############################################################################
