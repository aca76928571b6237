#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for the configurations that are shipped: each is accepted and pulled
# from, as its comments say; a node starts beside other sites, serves, logs,
# and keeps what it has cached.

###############################################################################

use warnings;
use strict;

use MIME::Base64 qw/ encode_base64 /;
use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Directory;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Tools qw/ make_certificate password_file /;
use Test::Registry::Util qw/ root_dir read_file write_file wait_for need /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $digest = $layout->manifest('team/app', '{"schemaVersion":2}', 'v1');

# for each: how clients of it ask

my %examples = (
    'node.conf' => [ {} ],
    'minio.conf' => [ {} ],
    'mirror.conf' => [ {}, { ns => 'docker-local.example.com' } ],
    'several.conf' => [ { host => 'team-a.example.com:5000', prefix => 'team-a' },
        { host => 'team-b.example.com:5000', prefix => 'team-b' } ],
    'jenkins.conf' => [ { tls => 1 } ],
    'standalone.conf' => [ { directory => 'registry' } ],
    'tls.conf' => [ { tls => 1, password => 'alice:sesame' } ],
);

my @files = map { m{([^/]+)$} } glob root_dir() . '/conf-examples/*.conf';

is(join(' ', sort @files), join(' ', sort keys %examples), 'all are tested');

need('IO::Socket::SSL');
make_certificate('registry-root');
my ($crt, $key) = make_certificate('registry', ca => 'registry-root');

for my $name (sort keys %examples) {
    my $t = Test::Registry->new(s3 => $s3,
        env => { AWS_ENDPOINT_URL_S3 => $s3->endpoint });
    my $dir = $t->dir;

    $t->example($name);
    write_file("$dir/registry.pem", read_file($crt));
    write_file("$dir/registry.key", read_file($key));
    password_file("$dir/registry.users", alice => 'sesame');
    write_file("$dir/$_.credentials", "[default]\naws_access_key_id = "
        . $s3->access_key . "\naws_secret_access_key = " . $s3->secret_key
        . "\n") for 'registry', 'team-b';

    $t->conf(<<"CONF");
%%main%%
events {}
http {
    client_body_temp_path $dir/temp/c;
    proxy_temp_path $dir/temp/p;
    access_log $dir/access.log;
    include $dir/conf.d/*.conf;
}
CONF

    my ($status, $output) = $t->test_conf();
    is($status, 0, "$name - nginx -t") or diag $output;
    unlike($output, qr/\[(?:warn|error)\]/, "$name - nothing to say");

    $t->start();
    pull($t, $name, %$_) for @{$examples{$name}};

    # what the comments say is refused

    if ($name eq 'mirror.conf') {
        is($t->get('/v2/team/app/manifests/v1?ns=docker.io')->status, 404,
            "$name - nothing for another registry");

    } elsif ($name eq 'several.conf') {
        is($t->get('/v2/team/app/manifests/v1')->status, 404,
            "$name - nothing under another name");

    } elsif ($name eq 'tls.conf') {
        my $r = $t->client(tls => 1)->get('/v2/team/app/manifests/v1');
        is($r->status, 401, "$name - nothing without a password");
        like($r->header('WWW-Authenticate') // '', qr/^Basic /,
            "$name - asks for one");
        is($r->code, 'UNAUTHORIZED', "$name - says so");
    }

    is($t->client(tls => $examples{$name}[0]{tls},
        host => $examples{$name}[0]{host} // 'localhost')
        ->request('POST', '/v2/team/app/blobs/uploads/')->status,
        $name =~ /jenkins|tls/ ? 401 : $name =~ /standalone/ ? 202 : 405,
        "$name - who may push");
}

# a node in the nginx of a host

for my $file (root_dir() . '/conf-examples/node.conf') {
    my ($name) = $file =~ m{([^/]+)$};
    my $t = Test::Registry->new(s3 => $s3,
        env => { AWS_ENDPOINT_URL_S3 => $s3->endpoint });
    my $dir = $t->dir;

    my $text = read_file($file);

    like($text, qr{include /etc/nginx/registry_http\.conf;},
        "$name - http level");
    like($text, qr{/var/log/nginx/}, "$name - logs to /var/log/nginx");
    cmp_ok(scalar(grep { /^\s*[^#\s]/ } split /\n/, $text), '<=', 25,
        "$name - at most 25 lines");

    $t->example($name);
    mkdir "$dir/html";
    write_file("$dir/html/index.html", 'another site');

    # the http block of Debian's nginx.conf

    $t->conf(<<"CONF")->start();
%%main%%
events {}
http {
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    default_type application/octet-stream;
    gzip on;
    client_body_temp_path $dir/temp/c;
    proxy_temp_path $dir/temp/p;
    access_log $dir/access.log;
    include $dir/conf.d/*.conf;
    server {
        listen 127.0.0.1:%%port:site%%;
        root $dir/html;
    }
}
CONF

    my $r = $t->get('/v2/team/app/manifests/v1');

    is($r->status, 200, "$name - serves");
    is($t->client(port => $t->port('site'))->get('/')->body, 'another site',
        "$name - beside another site");

    $t->get("/v2/team/app/manifests/$digest");

    my $log = sub { read_file("$dir/logs/registry.access.log") };
    ok(wait_for(sub { $log->() =~ /\Q$digest\E/ }, 2), "$name - access log");
    like($log->(), qr{GET /v2/team/app/manifests/v1.*\b200\b.*team/app.*MISS}s,
        "$name - access log tells what was done");
    ok(wait_for(sub { read_file("$dir/logs/registry.error.log")
        . read_file("$dir/error.log") =~ /registry: bucket/ }, 5),
        "$name - error log");

    # a cache that is there after a night

    for my $cache (read_file("$dir/registry_http.conf")
        =~ /^proxy_cache_path\s+([^;]+);/mg)
    {
        like($cache, qr/\binactive=\d+y\b/, "$name - is kept for years");
        like($cache, qr/\bmin_free=\d+[mg]\b/, "$name - leaves room");
        like($cache, qr/\bmax_size=\d+[mg]\b/, "$name - has a limit");
    }
}

finish();

###############################################################################

# The tag, the manifest it names, and the layer in it.

sub pull {
    my ($t, $name, %how) = @_;

    my $store = $how{directory} ? Test::Registry::Directory->new(
        path => $t->dir . "/$how{directory}") : $s3;
    my $in = Test::Registry::Layout->new($store, prefix => $how{prefix} // '');
    my $layer = "layer of $name for " . ($how{host} // 'all');
    my $json = '{"schemaVersion":2,"layers":[{"digest":"'
        . $in->blob('team/app', $layer) . '","size":' . length($layer)
        . '}]}';
    my $digest = $in->manifest('team/app', $json, "of-$name");

    my $client = $t->client(tls => $how{tls},
        $how{host} ? (host => $how{host}) : ());
    my @headers = $how{password}
        ? (Authorization => 'Basic ' . encode_base64($how{password}, ''))
        : ();
    my $ns = $how{ns} ? "?ns=$how{ns}" : '';
    my $what = join ', ', $name, grep { defined } @how{qw/ host ns /};

    my $r = $client->get("/v2/team/app/manifests/of-$name$ns", @headers);
    is($r->status, 200, "$what - tag") or diag $r->error;
    is($r->header('Docker-Content-Digest'), $digest, "$what - digest");
    is($r->body, $json, "$what - manifest");

    $r = $client->get('/v2/team/app/blobs/'
        . Test::Registry::Layout::digest($layer) . $ns, @headers);
    is($r->body, $layer, "$what - layer");
    return;
}

###############################################################################
