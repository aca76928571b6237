#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for pushes to a local store that break off: at each step of the disk,
# by the end of a worker, of nginx, of the client, by a disk that is full or
# broken; and by the end of everything at any moment.  Whatever happens, the
# store is true, and pushing again succeeds.

###############################################################################

use warnings;
use strict;

use Test::More;

use Errno qw/ ENOSPC EIO /;
use FindBin;
use lib "$FindBin::Bin/lib";
use Time::HiRes qw/ sleep /;

use Test::Registry qw/ finish sanitized /;
use Test::Registry::Audit qw/ audit /;
use Test::Registry::Directory;
use Test::Registry::Disk;
use Test::Registry::Push qw/ again image kill_all promised push_image /;
use Test::Registry::Util qw/ random_bytes temp_dir wait_for /;

###############################################################################

plan(skip_all => 'a sanitizer wants to be loaded first') if sanitized();

# all steps, and many rounds, take minutes

my $all = $ENV{REGISTRY_TEST_ALL_STEPS};
my $stride = $all ? 1 : 9;
my $rounds = $all ? 50 : 5;

my $store = Test::Registry::Directory->new();
my $top = $store->path =~ s{/data$}{}r;
my $uploads = "$top/uploads";
my $disk = Test::Registry::Disk->new($top);
my $t = Test::Registry->node($store, workers => 2, env => { $disk->env },
    location => "
    registry_push on;
    registry_upload_path $uploads;
    registry_upload_expires 8s;
    client_max_body_size 0;");

$t->expect_log(qr/worker process \d+ exited on signal 9/,
    qr/\[crit\].*\((?:28|5): /);

my %events = (
    'worker killed' => sub { kill 'KILL', $disk->stopped },
    'nginx killed' => sub { kill_all($t) },
    'client gone' => sub { $_[0]->stop('KILL'); kill 'CONT', $disk->stopped },
);

my %errors = ('disk full' => ENOSPC, 'disk broken' => EIO);

my $n = 0;
my %steps;

# each step that a push has

for my $event (sort keys %events) {
    for my $moment ('before', 'after') {
        my $step = 1;
        $step += $stride while broken($step, $event, $moment);
    }
}

for my $error (sort keys %errors) {
    my $step = 1;
    $step += $stride while failed($step, $error);
}

# that these are the steps, and no others

if ($all) {
    like(join(' ', sort keys %steps), qr{\b$_\b}, "there was a step of $_")
        for qw/ rename link unlink mkdir fsync /;
}

cmp_ok(scalar(keys %steps), '>', 2, 'there were steps of several kinds');

$disk->clear();

ok(wait_for(sub { !sessions() }, 30), 'no session is left on the disk')
    or diag join ' ', sessions();

promised($t, $_) for 'worker killed', 'nginx killed', 'client gone';

any_moment() for 1 .. $rounds;

is(join("\n", audit($store)), '', 'the store is true');
ok(wait_for(sub { !sessions() }, 30), 'nothing is left on the disk')
    or diag join ' ', sessions();

finish();

###############################################################################

sub sessions { my @files = glob "$uploads/*-*-*-*-*.*"; return @files }


# nginx stops at a step, before or after it, and something ends.  False if
# there is no such step.

sub broken {
    my ($step, $event, $moment) = @_;

    my $image = image(++$n, 'layer');

    # directories are many

    $disk->at($step, $moment, directories => "$event $moment"
        eq 'worker killed after');
    my $client = Test::Registry::Util::spawn(sub { push_image($t, $image) });

    wait_for(sub { $disk->stopped || !$client->alive }, 15);
    my $pid = $disk->stopped;

    if (!$pid) {
        $client->stop('KILL');
        return 0;
    }

    my $name = "$event $moment " . $disk->what . " ($step)";
    $steps{($disk->what =~ /(\w+)/)[0]} = 1;

    $events{$event}->($client);
    wait_for(sub { !$client->alive }, 15);
    $client->stop('KILL');

    $disk->clear();
    again($t, $store, $image, $name);
    return 1;
}


# A step fails.

sub failed {
    my ($step, $error) = @_;

    my $image = image(++$n, 'layer');

    $disk->at($step, $errors{$error}, directories => 1);
    my $wrong = push_image($t, $image);
    my $name = "$error at " . $disk->what . " ($step)";
    my $reached = $disk->stopped;

    $disk->clear();
    return 0 if !$reached;

    # what is removed when all is done may stay

    like($wrong, qr/^$|: 50[023]$/, $name);
    is($wrong, '', "$name - nothing was promised that is not there")
        if $wrong !~ /:/;
    again($t, $store, $image, $name);
    return 1;
}


# Everything is killed while several clients push.

sub any_moment {
    my @images = map { image(++$n, random_bytes(300_000, "any $n")) } 1 .. 4;
    my @clients = map {
        my $image = $_;
        Test::Registry::Util::spawn(sub { push_image($t, $image) });
    } @images;

    sleep rand 0.25;
    kill_all($t);
    $_->stop('KILL') for @clients;

    again($t, $store, $images[rand @images], 'any moment');
    return;
}

###############################################################################
