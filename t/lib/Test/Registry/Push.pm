package Test::Registry::Push;

# Copyright (C) The ngx_registry_module authors

# Pushes that break off, and what must be true after them, whatever the store.

###############################################################################

use warnings;
use strict;

use Digest::SHA qw/ sha256_hex /;
use Exporter qw/ import /;
use Test::More;

use Test::Registry;
use Test::Registry::Audit qw/ audit /;
use Test::Registry::Util qw/ random_bytes wait_for /;

our @EXPORT_OK = qw/ again image kill_all promised push_image /;

my $Type = 'application/vnd.oci.image.manifest.v1+json';

###############################################################################

sub digest { return 'sha256:' . sha256_hex($_[0]) }
sub path { return $_[0]->header('Location') =~ s{^https?://[^/]+}{}r }


# An image whose config and layer nobody else has.

sub image {
    my ($i, $filler) = @_;

    my $config = qq({"architecture":"amd64","os":"linux","n":$i});
    my $layer = "$i\n$filler";

    return {
        repository => "crash/n$i", config => $config, layer => $layer,
        manifest => sprintf '{"schemaVersion":2,"mediaType":"%s","config":{'
            . '"mediaType":"application/vnd.oci.image.config.v1+json",'
            . '"digest":"%s","size":%d},"layers":[{"mediaType":'
            . '"application/vnd.oci.image.layer.v1.tar","digest":"%s",'
            . '"size":%d}]}', $Type, digest($config), length $config,
            digest($layer), length $layer
    };
}


sub push_image {
    my ($t, $image) = @_;

    my $base = "/v2/$image->{repository}";

    for my $what (qw/ config layer /) {
        my $content = $image->{$what};
        my $r = $t->request('POST', "$base/blobs/uploads/", body => '');
        return "POST $what: " . $r->status if $r->status != 202;

        my $session = path($r);
        $r = $t->request('PATCH', $session, body => $content);
        return "PATCH $what: " . $r->status if $r->status != 202;

        $r = $t->request('PUT', "$session?digest=" . digest($content),
            body => '');
        return "PUT $what: " . $r->status if $r->status != 201;
    }

    my $r = $t->request('PUT', "$base/manifests/v1",
        body => $image->{manifest}, headers => [ 'Content-Type', $Type ]);
    return $r->status == 201 ? '' : 'PUT manifest: ' . $r->status;
}


# All is as it should be, and pushing again succeeds.

sub again {
    my ($t, $store, $image, $name) = @_;

    my $up = wait_for(sub { $t->get('/v2/')->status == 200 }, 10);
    my @wrong = audit($store);

    is(join("\n", @wrong), '', "$name - the bucket is true");

    my $wrong = push_image($t, $image);
    is($wrong, '', "$name - pushed again");

    my $r = $t->get("/v2/$image->{repository}/manifests/v1");
    is($r->body, $image->{manifest}, "$name - manifest");

    $r = $t->client->request('GET', "/v2/$image->{repository}/blobs/"
        . digest($image->{layer}), digest => 1);
    is($r->sha256, sha256_hex($image->{layer}), "$name - layer");
    return;
}


sub promised {
    my ($t, $event) = @_;

    my $content = random_bytes(3 << 20, "promised $event");
    my @part = (substr($content, 0, 1 << 20), substr($content, 1 << 20,
        1 << 20), substr $content, 2 << 20);

    my $r = $t->request('POST', '/v2/crash/promised/blobs/uploads/',
        body => '');
    my $session = path($r);

    $r = $t->request('PATCH', $session, body => $part[0]);
    is($r->status, 202, "$event - first part");

    # the next one breaks off in the middle

    my $client = $t->client;
    my $socket = $client->connect();
    $client->write_all($socket, "PATCH $session HTTP/1.1\r\nHost: a\r\n"
        . 'Content-Length: ' . length($part[1]) . "\r\n\r\n"
        . substr $part[1], 0, 500_000);
    select undef, undef, undef, 0.2;

    $event eq 'worker killed' ? kill('KILL', $t->workers())
        : $event eq 'nginx killed' ? kill_all($t) : ();
    close $socket;

    wait_for(sub { $t->get('/v2/')->status == 200 }, 10);

    my $last;
    wait_for(sub {
        $r = $t->get($session);
        ($last) = ($r->header('Range') // '') =~ /^0-(\d+)$/;
        return $r->status == 204
            && ($event ne 'client gone' || $last + 1 > length $part[0]);
    }, 5);

    is($r->status, 204, "$event - the session is there");
    cmp_ok($last + 1, '>=', length $part[0], "$event - with all its bytes");

    my $rest = substr $content, $last + 1;
    $r = $t->request('PATCH', $session, body => $rest, headers => [
        'Content-Range', ($last + 1) . '-' . (length($content) - 1) ]);
    is($r->status, 202, "$event - goes on") or diag $r->body;

    $r = $t->request('PUT', "$session?digest=" . digest($content),
        body => '');
    is($r->status, 201, "$event - and ends") or diag $r->body;
    return;
}


# The end of all of nginx, and its next start.

sub kill_all {
    my ($t) = @_;

    my @pids = ($t->{pid}, $t->processes());

    kill 'KILL', @pids;
    wait_for(sub { !grep { !Test::Registry::gone($_) } @pids });
    unlink $t->dir . '/nginx.pid';
    $t->start();
    return;
}

###############################################################################

1;

###############################################################################
