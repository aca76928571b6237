#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for what is left of many refreshes and reloads, for "make asan" above
# all: LeakSanitizer looks when each worker ends.
# REGISTRY_TEST_RELOADS (4, at least 2) reloads, REGISTRY_TEST_REFRESHES (2) refreshes for
# each; REGISTRY_TEST_KINDS (IMDS,web identity).

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry qw/ finish sanitized /;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Source;
use Test::Registry::Util qw/ temp_dir write_file wait_for read_file /;

###############################################################################

my $reloads = $ENV{REGISTRY_TEST_RELOADS} // 4;
my $refreshes = $ENV{REGISTRY_TEST_REFRESHES} // 2;

my $s3 = Test::Registry::S3->new(access_key => 'NOBODY',
    secret_key => 'nothing');
my $layout = Test::Registry::Layout->new($s3);
$layout->manifest('team/app', '{"schemaVersion":2}', "v$_") for 1 .. 3;

my $source = Test::Registry::Source->new(web_token => 'web token');
$source->rotate($s3);
my $file = write_file(temp_dir('aws') . '/token', 'web token');

for my $kind (split /,/, $ENV{REGISTRY_TEST_KINDS} // 'IMDS,web identity') {
    my $t = Test::Registry->node($s3, workers => 2, env => {
        AWS_ACCESS_KEY_ID => '', AWS_SECRET_ACCESS_KEY => '',
        $kind eq 'IMDS' ? $source->imds_env : $source->web_env($file) });

    my $failed = 0;
    my @memory;

    for (1 .. $reloads) {

        for (1 .. $refreshes) {
            $source->rotate($s3);
            my $set = $source->{state}{set}{id};
            select undef, undef, undef, 1.05;

            $failed++ if $t->get('/v2/team/app/tags/list')->status != 200;
            $failed++ if !$s3->count(access_key => $set);
        }

        # of a worker that has asked, before the next one takes its place
        push @memory, $t->worker_memory();
        $t->reload();
    }

    is($failed, 0, "$kind - each set is used, no request fails");
    is($t->log_count(qr/credentials of $kind, .*expire/),
        $reloads * $refreshes + 1, "$kind - one line for each");

    SKIP: {
        skip 'memory says nothing with sanitizers', 1 if sanitized();

        # a reload needs memory for two configurations, once

        cmp_ok($memory[-1] - $memory[1], '<', 1000,
            "$kind - memory of a worker") or diag "@memory";
    }
}

finish();

###############################################################################
