#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for where secrets are: after two rotations nowhere but in the set that
# is in use; not in logs of any level, not in the configuration, not in the
# arguments of a process, not in the memory of the master.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Time::HiRes qw/ sleep /;

use Test::Registry qw/ finish sanitized /;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Source;
use Test::Registry::Util qw/
    need temp_dir read_file write_file run_command wait_for find_tool
/;

plan(skip_all => 'the core of a sanitizer is too large') if sanitized();
need('gcore');

my $s3 = Test::Registry::S3->new(access_key => 'NOBODY',
    secret_key => 'nothing');
my $layout = Test::Registry::Layout->new($s3);
my $dir = temp_dir('cores');
my @none = (AWS_ACCESS_KEY_ID => '', AWS_SECRET_ACCESS_KEY => '');
my $n = 0;

$layout->manifest('team/app', '{"schemaVersion":2}', "v$_") for 1 .. 99;

for my $kind (split /,/, $ENV{REGISTRY_TEST_KINDS} // 'IMDS,web identity,profile') {

    my $source = Test::Registry::Source->new(web_token => 'web/token/' .
        'W' x 200);
    my @sets = ($source->rotate($s3, token => long("1$kind")));

    write_file("$dir/token", 'web/token/' . 'W' x 200);
    profile($sets[0]);

    my %env = $kind eq 'IMDS' ? $source->imds_env
        : $kind eq 'profile' ? (AWS_SHARED_CREDENTIALS_FILE => "$dir/keys")
        : $source->web_env("$dir/token");

    my $t = Test::Registry->node($s3, env => { @none, %env });

    $t->stop();
    local $ENV{TEST_REGISTRY_LOG} = 'debug';
    $t = Test::Registry->node($s3, env => { @none, %env });

    use_it($t);

    # what S3 refuses is replaced

    for my $turn (2, 3) {
        $source->rotate($s3, token => long("$turn$kind"));
        push @sets, $source->{state}{set};
        profile($sets[-1]);
        sleep 1.2;
        use_it($t);
    }

    # the last request of the old set has gone
    ok(wait_for(sub { use_it($t); $s3->count(access_key => $sets[2]{id}) },
        5), "$kind - the third set is in use");

    my ($worker) = $t->workers();
    # requests end a moment after their answer
    sleep 1;

    my $master = core($t->{pid}, '0x31');
    my @cores = core($worker, '0x33');

    my $log = read_file($t->dir . '/error.log') . read_file($t->dir
        . '/access.log') . read_file($t->dir . '/stderr');
    like($log, qr/http proxy header/, "$kind - the log has details");

    my $dump = (run_command($t->command('-T'), env => $t->environment()))[1];
    like($dump, qr/registry_s3_bucket/, "$kind - nginx -T");

    my $arguments = join ' ', map { read_file($_) } glob '/proc/*/cmdline';

    for my $i (0 .. 2) {
        for my $what ('secret', 'token') {
            my $text = $sets[$i]{$what};

            is(index($log, $text), -1, "$kind - $what $i not in a log");
            is(index($dump, $text), -1, "$kind - $what $i not in nginx -T");
            is(index($arguments, $text), -1,
                "$kind - $what $i in no arguments");
            is(index($master, $text), -1,
                "$kind - $what $i not in the master");

            next if $i == 2;
            my ($where) = map { around($_, $text) } @cores;
            is($where, '', "$kind - $what $i not in a worker");
        }
    }

    ok((grep { index($_, $sets[2]{secret}) >= 0 } @cores),
        "$kind - the set in use is found that way");

    is(index($log, 'Signature='), -1, "$kind - no signature in a log");

    $t->stop();
}

finish();

###############################################################################

# Text that a search finds by its first part also if it is cut.

sub long { my ($tag) = @_;
    return "token/$tag/" . join '', map { chr(65 + $_ * 7 % 26) } 1 .. 400;
}


sub use_it {
    my ($t) = @_;

    $t->get('/v2/team/app/manifests/v' . (1 + $n++ % 99)) for 1 .. 3;
    $t->get('/v2/team/app/tags/list');
    return;
}


sub profile {
    my ($set) = @_;

    write_file("$dir/keys.new", "[default]\naws_access_key_id = $set->{id}\n"
        . "aws_secret_access_key = $set->{secret}\n"
        . "aws_session_token = $set->{token}\n");
    chmod 0600, "$dir/keys.new";
    rename "$dir/keys.new", "$dir/keys";
    return;
}


# What stands before and behind a text.

sub around {
    my ($core, $text) = @_;

    my $i = index $core, $text;
    return '' if $i < 0;

    my $s = substr $core, $i - 200, length($text) + 300;
    $s =~ s/[^\x20-\x7e]/./g;
    return $s;
}


# Memory of a process: its own, bits 0x31, and with 0x33 what it shares with
# others, of which the zone with the set in use is one; core(5).

sub core {
    my ($pid, $filter) = @_;

    open my $fh, '>', "/proc/$pid/coredump_filter" or die "filter: $!\n";
    print {$fh} $filter;
    close $fh;

    my ($status, $output) = run_command(['gcore', '-o', "$dir/core", $pid]);
    my $core = read_file("$dir/core.$pid");

    ok(length $core > 100000, "core of $pid") or diag($output);
    unlink "$dir/core.$pid";
    return $core;
}

###############################################################################
