#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for "make run" without a bucket: what it says, a first image in and
# out, the user of the workers, the end, and variables that are wrong.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry qw/ finish module_path sanitized /;
use Test::Registry::Image;
use Test::Registry::Tools qw/ skopeo_push skopeo_pull /;
use Test::Registry::Util qw/
    clean_env free_port need read_file root_dir run_command spawn temp_dir
    wait_for write_file
/;

###############################################################################

need('skopeo');
plan(skip_all => 'runs the module in build/ and the nginx of the host')
    if sanitized() || !-f root_dir() . '/build/ngx_http_registry_module.so';

my $run = root_dir() . '/util/run';
my $port = free_port();
my $top = temp_dir('run');
my $path = "$top/registry data";
my $image = Test::Registry::Image->new(layers => [ 1000, 3_000_000 ]);

for my $round (1, 2) {
    my $name = $round == 1 ? 'first start' : 'second start';
    my $process = start();

    ok(wait_for(sub { said() =~ /^registry in \Q$path\E: http:/m }, 20),
        "$name - ready") or diag said();
    ok(wait_for(sub { said()
        =~ m{docker push localhost:$port/alpine.*skopeo copy .*/_catalog}s },
        5), "$name - says how to push") or diag said();

    if ($round == 1) {
        my ($status, $output) = skopeo_push($image->write_dir(
            temp_dir('from')), $port, 'team/app:v1');
        is($status, 0, 'skopeo pushes') or diag $output;
    }

    my $to = temp_dir("to-$round");
    my ($status, $output) = skopeo_pull($port, 'team/app:v1', $to);
    is($status ? $output : $image->compare_dir($to), '',
        "$name - skopeo pulls");

    kill 'TERM', $process->{pid};
    ok(wait_for(sub { !$process->alive }, 20), "$name - ends");
    unlike(said(), qr/warning|emerg|alert/, "$name - nothing is wrong");
}

ok(-d "$path/docker/registry/v2/repositories/team/app",
    'images are in REGISTRY_PATH');
unlike(read_file("$path/error.log"), qr/\[(?:warn|error|crit|alert)\]/,
    'nothing in the error log');

# workers are the owner of the data, who need not be able to leave it

SKIP: {
    skip 'needs root', 2 if $> != 0;

    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
    $path = "$top/of nobody";
    mkdir $path;
    chown $uid, $gid, $path;
    chmod 0700, $path;

    my $process = start();
    ok(wait_for(sub { said() =~ /^registry in /m }, 20), 'of nobody - ready')
        or diag said();
    my ($status, $output) = skopeo_push($image->write_dir(temp_dir('from2')),
        $port, 'team/app:v1');
    is($status, 0, 'of nobody - skopeo pushes') or diag $output;
    is((stat "$path/docker")[4], $uid, 'of nobody - whose it is');
    kill 'TERM', $process->{pid};
    wait_for(sub { !$process->alive }, 20);
}

# nobody may push

my $process = start(REGISTRY_PUSH => 'off');
wait_for(sub { said() =~ /^registry in /m }, 20);
unlike(said(), qr/docker push/, 'REGISTRY_PUSH=off - no word of pushing');
is(Test::Registry::Client->new(port => $port)->request('POST',
    '/v2/team/app/blobs/uploads/', body => '')->status, 405,
    'REGISTRY_PUSH=off - 405');
kill 'TERM', $process->{pid};
wait_for(sub { !$process->alive }, 20);

for (
    [ { REGISTRY_PREFIX => 'a/b' }, qr/REGISTRY_PREFIX is "a\/b".*REGISTRY_BUCKET is not set/ ],
    [ { REGISTRY_PUSH => 'yes' }, qr/REGISTRY_PUSH is "yes"/ ],
    [ { REGISTRY_LISTEN => '5000' }, qr/REGISTRY_LISTEN is "5000"/ ],
    [ { REGISTRY_PATH => '/a;b' }, qr/REGISTRY_PATH: invalid character/ ],
    [ { AWS_SECRET_ACCESS_KEY => 'secret', REGISTRY_BUCKET => 'images',
        AWS_REGION => 'eu-central-1' }, qr/AWS_ACCESS_KEY_ID is not set/ ],
    [ { AWS_ACCESS_KEY_ID => 'AKID', AWS_SECRET_ACCESS_KEY => 'secret',
        REGISTRY_BUCKET => 'images' }, qr/AWS_REGION is not set/ ],
    [ { AWS_ACCESS_KEY_ID => 'AKID', REGISTRY_BUCKET => 'images',
        AWS_REGION => 'eu-central-1' }, qr/AWS_SECRET_ACCESS_KEY is not set/ ],
) {
    my ($env, $message) = @$_;
    my ($name) = sort keys %$env;
    my ($status, $output) = run_command([$run, '--check'],
        env => environment(%$env));

    is($status, 1, "$name - refused");
    like($output, $message, "$name - says which");
}

done_testing();

###############################################################################

sub environment {
    return { %{clean_env(REGISTRY_LISTEN => "127.0.0.1:$port",
        REGISTRY_PATH => $path, @_)} };
}


sub start {
    write_file("$top/said", '');
    return spawn([$run], log => "$top/said", env => environment(@_));
}


sub said { return read_file("$top/said") }

###############################################################################
