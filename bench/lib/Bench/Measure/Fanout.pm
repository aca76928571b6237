package Bench::Measure::Fanout;

# Copyright (C) The ngx_registry_module authors

# Many hosts start the same image at the same moment.  Each has a link of 100
# Mbit/s; S3 has more than all of them together.  Every host has a registry of
# its own; beside it, one central registry, which has such a link, too.

###############################################################################

use warnings;
use strict;

use Test::Registry::Front;

use Bench::Client qw/ hosts /;
use Bench::Content qw/ put_image remove_blob /;
use Bench::Network;
use Bench::System qw/ start_system /;

###############################################################################

sub needs { qw/ root ip tc / }


sub run {
    my ($bench) = @_;

    my $n = $bench->size('hosts');
    my $mbit = $bench->size('link');
    my $size = $bench->size('fanout');

    $bench->results->table(id => 'fanout', unit => 's', base => 'hosts',
        title => sprintf('%d hosts with %d Mbit/s pull one image of %.0f MB '
            . 'at the same moment', $n, $mbit, $size / 1e6),
        note => 'Seconds until the last has it.',
        order => [qw/ one hosts central central-distribution /],
        titles => {
            one => 'one host alone, with its own registry',
            hosts => 'all, each with its own registry',
            central => 'all, one central registry (ours)',
            'central-distribution' => 'all, one central registry '
                . '(distribution)'
        });

    my $image = put_image($bench->gateway, 'fanout', forget => 1,
        layers => [ ($size / 10) x 10 ]);
    my $network = Bench::Network->new();
    my $front = Test::Registry::Front->new($bench->gateway, rates => { any => 0 },
        cache => 1, address => $Bench::Network::GATEWAY);
    my @hosts = map { $network->host($mbit) } 0 .. $n;
    my $central = pop @hosts;

    my %kinds = (
        one => sub { own($front, $image, $hosts[0]) },
        hosts => sub { own($front, $image, @hosts) },
        central => sub { central($front, $image, 'ours', $central,
            @hosts) },
        'central-distribution' => sub {
            central($front, $image, 'distribution', $central, @hosts) }
    );

    $bench->interleave($bench->some(1), [ sort keys %kinds ], sub {
        my ($name) = @_;
        $bench->record('fanout', $name, $kinds{$name}->());
    });

    $front->stop();
    $network->remove();
    remove_blob($bench->gateway, $_) for $image->blobs;
    return;
}


# Every host asks itself.

sub own {
    my ($front, $image, @hosts) = @_;

    my @systems = map { start_system('ours', s3 => $front->endpoint('any'),
        workers => 1, port => 5000, wrap => $_->{wrap}) } @hosts;
    my $seconds = pull($systems[0], $image, @hosts);

    $_->stop() for @systems;
    return $seconds;
}


sub central {
    my ($front, $image, $name, $central, @hosts) = @_;

    my $system = start_system($name, s3 => $front->endpoint('any'),
        address => $central->{address}, port => 5000,
        wrap => $central->{wrap});
    my $seconds = pull($system, $image, @hosts);

    $system->stop();
    return $seconds;
}


sub pull {
    my ($system, $image, @hosts) = @_;

    my $bytes = length $image->manifest;
    $bytes += $_->{size} for $image->blobs;

    return hosts($bytes, [ $system->manifest_url('fanout'),
        map { $system->blob_url($_->{digest}) } $image->blobs ],
        map { $_->{wrap} } @hosts);
}

###############################################################################

1;

###############################################################################
