package Bench::Measure::Push;

# Copyright (C) The ngx_registry_module authors

# One large blob pushed as clients do it, POST, PATCH, PUT, and uploaded by
# "aws s3 cp" to the same S3; memory while eight are pushed at once; how long
# the last request of the push of a very large blob is silent.

###############################################################################

use warnings;
use strict;

use Time::HiRes qw/ time sleep /;

use Test::Registry::Util qw/ clean_env find_tool run_command spawn /;

use Bench::Content qw/ make_blob remove_blob /;
use Bench::Process qw/ memory /;

my $Repository = 'bench/push';

###############################################################################

sub run {
    my ($bench) = @_;

    my $results = $bench->results;
    my ($size, $silent) = map { $bench->mib($_) } qw/ push silent /;

    $results->table(id => 'push', more => 1, unit => 'MB/s',
        title => "Push of a blob of $size");
    $results->table(id => 'push-memory', unit => 'MiB', title => 'Memory '
        . "(PSS) at most, eight clients push $size each");
    $results->table(id => 'push-silent', unit => 's', title => 'The final PUT '
        . "of a blob of $silent is silent for");

    my @systems = (qw/ ours distribution debian /,
        find_tool('aws') ? 'aws' : ());

    $bench->interleave($bench->{rounds}, \@systems, sub { one($bench, @_) });

    $bench->interleave(1, [qw/ ours distribution /], sub {
        $bench->record('push-memory', $_[0], eight($bench, @_)) });

    if ($bench->size('silent')) {
        $bench->interleave(1, [qw/ ours distribution /], sub {
            $bench->record('push-silent', $_[0], silent($bench, @_)) });
    }

    return;
}


sub one {
    my ($bench, $name) = @_;

    my $blob = make_blob($bench->size('push'));
    my $system = $name eq 'aws' ? undef
        : $bench->start($name, 'direct', push => 1);

    my $begun = time();
    $system ? push_blob($blob, $system) : aws_copy($bench, $blob);
    $bench->record('push', $name, $blob->{size} / 1e6 / (time() - $begun));

    $system->stop() if $system;
    clear($bench, $blob);
    return;
}


sub eight {
    my ($bench, $name) = @_;

    my $system = $bench->start($name, 'direct', push => 1);
    my @blobs = map { make_blob($bench->size('push')) } 1 .. 8;
    my @pushes = map { my $blob = $_;
        spawn(sub { push_blob($blob, $system) }) } @blobs;
    my $most = 0;

    while (grep { $_->alive } @pushes) {
        my $now = memory($system->pids);
        $most = $now if $now > $most;
        sleep 0.1;
    }

    $system->stop();
    clear($bench, $_) for @blobs;
    return $most;
}


sub silent {
    my ($bench, $name) = @_;

    my $system = $bench->start($name, 'direct', push => 1);
    my $blob = make_blob($bench->size('silent'));
    my $seconds = push_blob($blob, $system);

    $system->stop();
    clear($bench, $blob);
    return $seconds;
}


sub clear {
    my ($bench, $blob) = @_;

    unlink $blob->{path};
    remove_blob($bench->gateway, $blob);
    return;
}

###############################################################################

# Returns the seconds that PUT took.

sub push_blob {
    my ($blob, $system) = @_;

    my $location = "/v2/$Repository/blobs/uploads/";

    $location = send_request($system, 202, $location, '-X', 'POST',
        '-H', 'Content-Length: 0');
    $location = send_request($system, 202, $location, '-X', 'PATCH',
        '-H', 'Content-Type: application/octet-stream', '-H', 'Expect:',
        '-T', $blob->{path});

    my $begun = time();

    send_request($system, 201, $location . ($location =~ /\?/ ? '&' : '?')
        . "digest=$blob->{digest}", '-X', 'PUT', '-H', 'Content-Length: 0');
    return time() - $begun;
}


# Returns the Location of the answer.

sub send_request {
    my ($system, $expected, $location, @options) = @_;

    $location = $system->base . $location if $location =~ m{^/};

    my ($status, $output) = run_command([find_tool('curl'), '-sS', '-D', '-',
        '-o', '/dev/null', @options, $location], env => clean_env(),
        timeout => 900);

    # the last answer: there may be a 100 before it

    my ($code) = $output =~ /.*^HTTP\/1.1 (\d+)/ms;
    die "@options $location: $output\n" if ($code // 0) != $expected;

    return $output =~ /^location:\s*(\S+)/mi ? $1 : '';
}


sub aws_copy {
    my ($bench, $blob) = @_;

    my $s3 = $bench->gateway;
    my $key = Test::Registry::Layout->new($s3)->blob_key($blob->{digest});

    my ($status, $output) = run_command([find_tool('aws'), '--endpoint-url',
        $s3->endpoint, '--region', $s3->region, 's3', 'cp', '--quiet',
        $blob->{path}, 's3://' . $s3->bucket . "/$key"], timeout => 600,
        env => clean_env(AWS_ACCESS_KEY_ID => $s3->access_key,
            AWS_SECRET_ACCESS_KEY => $s3->secret_key));

    die "aws s3 cp: $output\n" if $status;
    return;
}

###############################################################################

1;

###############################################################################
