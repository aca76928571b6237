#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for clients that read slowly, by each way that nginx has of sending:
# files, what was copied for TLS, frames of HTTP/2.  Every byte once, in order,
# and what they wait for is not fetched twice.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();

use Test::Registry qw/ finish nginx_has /;
use Test::Registry::Directory;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Tools qw/ make_certificate /;
use Test::Registry::Util qw/ need random_bytes run_command read_file temp_dir /;

###############################################################################

need(qw/ curl-http2 openssl /);
plan(skip_all => 'nginx without HTTP/2') unless nginx_has('http_v2');

make_certificate('root');
my ($crt, $key) = make_certificate('registry', ca => 'root');
my $rate = 400_000;
my $size = 2_000_000;

for my $name ('S3', 'local store') {
    my $store = $name eq 'S3' ? Test::Registry::S3->new()
        : Test::Registry::Directory->new();
    my $layout = Test::Registry::Layout->new($store);
    my $t = node($store);

    my %blob = map { $_ => $layout->blob('team/app',
        random_bytes($size, "$name $_")) } qw/ plain TLS HTTP2 /;

    for my $time ('first', 'again') {
        $store->forget() if $name eq 'S3';

        my %started = map { $_ => start($t, $_, $blob{$_}) } sort keys %blob;

        for (sort keys %started) {
            is(finish_started($started{$_}), $blob{$_}, "$name, $_, $time");
        }

        next if $name ne 'S3';

        # the last byte of a blob is in its slice 30

        for (sort keys %blob) {
            is($store->count(key => qr/\Q@{[ $layout->blob_key($blob{$_}) ]}\E/),
                $time eq 'first' ? 31 : 0, "$name, $_, $time - requests");
        }
    }

    unlike($t->log, qr/was short|broke off/, "$name - nothing missed");
}

finish();

###############################################################################

sub node {
    my ($store) = @_;

    my $node = Test::Registry->new(s3 => $store);

    $node->conf(<<"CONF")->start();
%%main%%
worker_rlimit_nofile 4096;
events {
    worker_connections 1024;
}
http {
    %%http%%
    server {
        listen 127.0.0.1:%%port%% sndbuf=65536;
        listen 127.0.0.1:%%port:tls%% ssl sndbuf=65536;
        listen 127.0.0.1:%%port:h2%% http2 sndbuf=65536;
        ssl_certificate $crt;
        ssl_certificate_key $key;
        %%server%%
        %%registry%%
        registry_slice_size 64k;
        registry_slice_threshold 64k;
        location /v2/ { registry on; }
    }
}
CONF
    return $node;
}


# The digest of what comes, in a process of its own.

sub start {
    my ($t, $how, $blob) = @_;

    my $path = "/v2/team/app/blobs/$blob";

    pipe my $read, my $write or die "pipe: $!";
    my $pid = fork() // die "fork: $!";

    if ($pid == 0) {
        print {$write} $how eq 'HTTP2' ? http2($t, $path)
            : http1($t, $path, $how eq 'TLS');
        close $write;
        POSIX::_exit(0);
    }

    close $write;
    return [ $pid, $read ];
}


sub http1 {
    my ($t, $path, $tls) = @_;

    my $client = Test::Registry::Client->new(tls => $tls,
        port => $t->port($tls ? 'tls' : ''));
    my $r = $client->request('GET', $path, digest => 1, rate => $rate);

    return $r->complete ? 'sha256:' . $r->sha256 : 'cut: ' . $r->error;
}


sub http2 {
    my ($t, $path) = @_;

    my $file = temp_dir() . "/h2.$$";
    my ($status, $output) = run_command(['curl', '-sS', '--limit-rate', $rate,
        '--http2-prior-knowledge', '-o', $file,
        'http://127.0.0.1:' . $t->port('h2') . $path]);
    return "curl: $output" if $status;

    require Digest::SHA;
    my $digest = Digest::SHA::sha256_hex(read_file($file));
    unlink $file;
    return "sha256:$digest";
}


sub finish_started {
    my ($started) = @_;

    my ($pid, $read) = @$started;
    my $line = <$read> // '';
    waitpid $pid, 0;
    return $line;
}

###############################################################################
