#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for the container image: built, run with a read-only root and as any
# user, pushed to and pulled from by Docker Engine, stopped, misconfigured.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry::Engine qw/
    enter_mounts static_program architecture
/;

# it has an nginx of its own

BEGIN {
    plan(skip_all => 'not about this nginx') if $ENV{TEST_NGINX_BINARY}
        || ($ENV{TEST_REGISTRY_IMAGE} // '') eq 'off';
    enter_mounts();
}

use JSON::PP ();
use POSIX ();
use Time::HiRes qw/ time sleep /;

use Test::Registry::Client;
use Test::Registry::Gateway;
use Test::Registry::Image;
use Test::Registry::Tools qw/ skopeo /;
use Test::Registry::Util qw/
    root_dir temp_dir free_port need run_command wait_for
/;

###############################################################################

need(qw/ root skopeo dockerd docker ctr debootstrap gcc versitygw /);

my $root = root_dir();
my $build = "$root/build/image";
my ($status, $output);

# the base is Debian's own, from its mirror; packages are installed into it

($status, $output) = run_command(["$root/util/docker-base", "$build/base.tar"],
    timeout => 600);
Test::Registry::Util::skip_file("no base image: $output") if $status;

my $engine = Test::Registry::Engine->new(data => "$build/docker");

if (($engine->docker('image', 'inspect', 'debian:bookworm-slim'))[0] != 0) {
    ($status, $output) = $engine->docker('import', "$build/base.tar",
        'debian:bookworm-slim');
    is($status, 0, 'base image') or diag $output;
}

($status, $output) = $engine->docker_within(900, 'build', '--network', 'host',
    '-t', 'registry', $root);
is($status, 0, 'docker build') or BAIL_OUT($output);

my $added = size('registry') - size('debian:bookworm-slim');
cmp_ok($added, '<', 30_000_000, 'size beside the base image');
diag sprintf 'the image adds %.1f MB to a base of %.1f MB', $added / 1e6,
    size('debian:bookworm-slim') / 1e6;

is(inspect('registry', '{{.Config.User}}'), 'registry', 'an ordinary user');

###############################################################################

# what is wrong ends it at once, with a sentence

my %s3 = (REGISTRY_BUCKET => 'images', AWS_REGION => 'eu-central-1',
    AWS_ACCESS_KEY_ID => 'AKID', AWS_SECRET_ACCESS_KEY => 'secret');

for (
    ['AWS_REGION', '', 'AWS_REGION is not set'],
    ['AWS_SECRET_ACCESS_KEY', '', 'AWS_SECRET_ACCESS_KEY is not set'],
    ['REGISTRY_PUSH', 'yes', 'REGISTRY_PUSH is "yes"'],
    ['REGISTRY_LISTEN', '5000', 'REGISTRY_LISTEN is "5000"'],
    ['REGISTRY_LISTEN', '192.0.2.1:5000', '192.0.2.1:5000'],
    ['REGISTRY_CACHE_SIZE', 'much', 'REGISTRY_CACHE_SIZE is "much"'],
    ['REGISTRY_BUCKET', 'a"b', 'REGISTRY_BUCKET: invalid character'],
    ['REGISTRY_PATH', '/proc/none', 'REGISTRY_PATH: "/proc/none"'],
    ['AWS_ENDPOINT_URL_S3', 'ftp://s3', 'ftp://s3'],
    ['AWS_CA_BUNDLE', '/none', 'AWS_CA_BUNDLE: "/none"'],
) {
    my ($name, $value, $sentence) = @$_;
    my $start = time();

    ($status, $output) = $engine->docker('run', '--rm', '--network', 'host',
        env(%s3, $name => $value), 'registry');

    is($status, 1, "$name=$value - status");
    like($output, qr/\Q$sentence\E/, "$name=$value - sentence");
    is(scalar(() = $output =~ /\n/g), 1, "$name=$value - and nothing else")
        or diag $output;
    cmp_ok(time() - $start, '<', 20, "$name=$value - at once");
}

($status, $output) = $engine->docker('run', '--rm', '--network', 'host',
    env(REGISTRY_PREFIX => 'some/where'), 'registry');
is($status, 1, 'REGISTRY_PREFIX without a bucket - status');
like($output, qr/REGISTRY_BUCKET is not set/,
    'REGISTRY_PREFIX without a bucket - sentence');

###############################################################################

# S3, as an unknown user, with nothing to be written but the volume

my $s3 = Test::Registry::Gateway->new(local => 1);
my $image = Test::Registry::Image->new(
    layers => [ 1000, 300_000, 40_000_000 ], command => [ '/hello' ],
    files => { hello => [ static_program('from the image'), 0755 ] },
    architecture => architecture());

%s3 = (REGISTRY_BUCKET => $s3->bucket, AWS_REGION => $s3->region,
    AWS_ENDPOINT_URL_S3 => $s3->endpoint, AWS_ACCESS_KEY_ID => $s3->access_key,
    AWS_SECRET_ACCESS_KEY => $s3->secret_key);

my $port = start('pusher', '--read-only', '--user', '12345',
    env(%s3, REGISTRY_PUSH => 'on', REGISTRY_PREFIX => 'some/where'));

my $archive = temp_dir('archive') . '/image.tar';
my $reference = "127.0.0.1:$port/team/app:v1";
my $loaded = $reference;

skopeo('copy', $image->write_dir(temp_dir('content')),
    "docker-archive:$archive:$reference");
$engine->docker('load', '-i', $archive);
($status, $output) = $engine->docker('push', $reference);
is($status, 0, 'docker push') or diag $output;
my ($digest) = $output =~ /digest: (sha256:\w+)/;
$engine->docker('rmi', $reference);
ok((grep { m{^some/where/docker/registry/v2/repositories/team/app/} }
    $s3->keys), 'REGISTRY_PREFIX');

my ($uid) = run_in('pusher', 'stat', '-c', '%u',
    '/var/lib/registry/nginx.conf');
is($uid, "12345\n", 'files of the user');
($output) = run_in('pusher', 'sh', '-c',
    'find / -xdev -newer /proc/1/cmdline -type f 2>/dev/null');
is($output, '', 'nothing is written outside of the volume');
stop('pusher');

# a node, as the image's own user

$port = start('node', '--read-only', '--health-interval', '1s',
    env(%s3, REGISTRY_PREFIX => 'some/where', REGISTRY_CACHE_SIZE => '1g'));
$reference = "127.0.0.1:$port/team/app:v1";

($status, $output) = $engine->docker('pull', $reference);
is($status, 0, 'docker pull') or diag $output;
like($output, qr/Digest: \Q$digest\E/, 'docker pull - digest');

($status, $output) = $engine->docker(qw/ run --rm --network none /,
    $reference);
is($output, "from the image\n", 'docker run');
$engine->docker('rmi', $reference);

my $client = Test::Registry::Client->new(port => $port);
is($client->request('POST', '/v2/team/app/blobs/uploads/')->status, 405,
    'nobody can push to a node');

my $logs = logs('node');
like($logs, qr{"HEAD /v2/team/app/manifests/v1 HTTP/1\.1" 200}, 'access log');
like($logs, qr{registry: bucket }, 'error log');

# health says whether it serves, not how S3 is

ok(wait_for(sub { health('node') eq 'healthy' }, 30), 'healthy');
$s3->stop();

my $checks = checks('node');
ok(wait_for(sub { checks('node') ne $checks && health('node') eq 'healthy' },
    30), 'healthy without S3');
($status, $output) = $engine->docker('exec', 'node',
    '/usr/share/ngx_registry_module/util/run', '--health');
is($status, 0, 'healthy without S3 - by hand') or diag $output;
($status, $output) = $engine->docker('pull', $reference);
is($status, 0, 'docker pull without S3') or diag $output;
$engine->docker('rmi', $reference);
$s3->start();

($status) = $engine->docker('exec', '-e', 'REGISTRY_LISTEN=127.0.0.1:1',
    'node', '/usr/share/ngx_registry_module/util/run', '--health');
isnt($status, 0, 'who is not there is not healthy');

# "docker stop" in the middle of a pull

my $blob = "/v2/team/app/blobs/" . largest();
my ($pull) = fork_pull($port, $blob, 8_000_000);
my ($seconds) = duration(sub { $engine->docker('stop', '-t', 60, 'node') });

is(scalar(<$pull>), "200 whole\n", 'a pull goes on to its end');
is(inspect('node', '{{.State.ExitCode}}'), 0, 'then it ends, with status 0')
    or diag logs('node');
cmp_ok($seconds, '>', 1, 'it has waited for the pull');
ok(!port_answers($port), 'nobody listens');
$engine->docker('rm', '-v', 'node');

# a client that never ends: the second signal does not wait

$port = start('node', '--read-only', env(%s3,
    REGISTRY_PREFIX => 'some/where'));
my $pid;
($pull, $pid) = fork_pull($port, $blob, 1000);
sleep 1;
$engine->docker('kill', '-s', 'TERM', 'node');
sleep 1;
is(inspect('node', '{{.State.Running}}'), 'true', 'it waits');
$engine->docker('kill', '-s', 'TERM', 'node');
ok(wait_for(sub { inspect('node', '{{.State.Running}}') eq 'false' }, 20),
    'the second signal ends it');
is(inspect('node', '{{.State.ExitCode}}'), 0, 'the second signal - status 0');
kill 'KILL', $pid;
$engine->docker('rm', '-v', 'node');

###############################################################################

# no bucket: a directory in the volume, which outlives the container

$port = start('local', '--read-only', '--user', '12345', '-v',
    'registry-test:/var/lib/registry', env(REGISTRY_PUSH => 'on'));
$reference = "127.0.0.1:$port/team/app:v1";

$engine->docker('load', '-i', $archive);
$engine->docker('tag', $loaded, $reference);
($status, $output) = $engine->docker('push', $reference);
is($status, 0, 'local - docker push') or diag $output;
$engine->docker('rmi', $loaded, $reference);
is(($output =~ /digest: (sha256:\w+)/)[0], $digest, 'local - digest');
stop('local');

$port = start('local', '--read-only', '--user', '12345', '-v',
    'registry-test:/var/lib/registry');
$reference = "127.0.0.1:$port/team/app:v1";

($status, $output) = $engine->docker('pull', $reference);
is($status, 0, 'local - docker pull') or diag $output;
like($output, qr/Digest: \Q$digest\E/, 'local - docker pull - digest');
($status, $output) = $engine->docker(qw/ run --rm --network none /,
    $reference);
is($output, "from the image\n", 'local - docker run');
$engine->docker('rmi', $reference);

like(logs('local'), qr/REGISTRY_PUSH is not "on"/,
    'local - says that nobody can push');
is(Test::Registry::Client->new(port => $port)->request('POST',
    '/v2/team/app/blobs/uploads/')->status, 405, 'local - nobody can push');
stop('local');
$engine->docker('volume', 'rm', 'registry-test');

$engine->stop();
done_testing();

###############################################################################

sub env {
    my (%env) = @_;
    return map { ('-e', "$_=$env{$_}") } sort keys %env;
}


# A container that answers; returns its port.

sub start {
    my ($name, @options) = @_;

    my $port = free_port();

    unshift @options, '-v', '/var/lib/registry'
        unless grep { m{:/var/lib/registry$} } @options;

    $engine->docker('rm', '-f', '-v', $name);
    my ($status, $output) = $engine->docker('run', '-d', '--name', $name,
        '--network', 'host',
        '-e', "REGISTRY_LISTEN=127.0.0.1:$port", @options, 'registry');
    is($status, 0, "$name is started") or diag $output;
    ok(wait_for(sub { port_answers($port) }, 20), "$name answers")
        or diag logs($name);

    return $port;
}


sub stop {
    my ($name) = @_;

    my ($status) = $engine->docker('stop', '-t', 20, $name);
    is($status, 0, "$name is stopped");
    is(inspect($name, '{{.State.ExitCode}}'), 0, "$name - status 0");
    $engine->docker('rm', '-v', $name);
    return;
}


sub inspect {
    my ($name, $format) = @_;

    my ($status, $output) = $engine->docker('inspect', '-f', $format, $name);
    chomp $output;
    return $output;
}


sub size { return inspect($_[0], '{{.Size}}') }
sub health { return inspect($_[0], '{{.State.Health.Status}}') }


# The last check of the health.

sub checks {
    return inspect($_[0], '{{range .State.Health.Log}}{{.End}} {{end}}');
}


sub logs { return ($engine->docker('logs', $_[0]))[1] }


sub run_in {
    my ($name, @command) = @_;
    return ($engine->docker('exec', $name, @command))[1];
}


sub port_answers {
    my ($port) = @_;
    return Test::Registry::Util::port_open($port);
}


sub duration {
    my ($code) = @_;

    my $start = time();
    $code->();
    return time() - $start;
}


sub largest {
    my ($status, $body) = (0,
        $client->get("/v2/team/app/manifests/$digest")->body);

    my ($largest) = sort { $b->{size} <=> $a->{size} }
        @{JSON::PP->new->decode($body)->{layers}};
    return $largest->{digest};
}


# A slow pull in the background that has begun: a handle to read how it ended,
# and its process.

sub fork_pull {
    my ($port, $target, $rate) = @_;

    pipe my $read, my $write or die "pipe: $!\n";
    my $pid = fork() // die "fork: $!\n";

    if ($pid == 0) {
        close $read;
        $write->autoflush(1);

        my $begun;
        my $r = Test::Registry::Client->new(port => $port)->request('GET',
            $target, rate => $rate, digest => 1, on_data => sub {
                print {$write} "begun\n" unless $begun++;
            });

        my $whole = $r->complete && "sha256:" . $r->sha256 eq
            ($target =~ m{([^/]+)$})[0];
        print {$write} $r->status, ' ', $whole ? 'whole' : 'cut ' . $r->error,
            "\n";
        POSIX::_exit(0);
    }

    close $write;
    is(scalar(<$read>), "begun\n", 'a pull has begun');
    return ($read, $pid);
}

###############################################################################
