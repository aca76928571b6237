package Bench::Measure::Pull;

# Copyright (C) The ngx_registry_module authors

# "docker pull" of a large image in ten layers, unpacking included.

###############################################################################

use warnings;
use strict;

use File::Temp ();

use Test::Registry::Engine;
use Test::Registry::Util qw/ root_dir read_file /;

use Bench::Client qw/ timed /;
use Bench::Content qw/ put_image remove_blob /;

my $Place;

###############################################################################

sub needs { qw/ root dockerd docker ctr / }


sub run {
    my ($bench) = @_;

    my $results = $bench->results;
    my $bytes = 10 * $bench->size('pull');
    my $size = sprintf '%.0f MiB', $bytes / 1048576;

    for (['limited', 'S3 limited to 50 MB/s for each connection'],
        ['counted', 'S3 unlimited'])
    {
        $results->table(id => "docker-$_->[0]", unit => 's',
            title => "docker pull, $size in ten layers, $_->[1]",
            note => 'Download and unpacking; the layers do not compress, so '
                . 'unpacking is copying and hashing.');
    }

    my $image = put_image($bench->gateway, 'large', forget => 1,
        layers => [ ($bench->size('pull')) x 10 ]);
    my $engine = Test::Registry::Engine->new(timeout => 1800,
        place($bytes));

    for my $how (qw/ limited counted /) {
        $bench->interleave($bench->some(2),
            [qw/ ours distribution redirect /],
            sub { one($bench, $engine, $how, @_) });
    }

    $engine->stop();
    remove_blob($bench->gateway, $_) for $image->blobs;
    return;
}


# The engine needs twice the size, beside S3 and the cache: on the disk if
# memory is short.

sub place {
    my ($bytes) = @_;

    my ($kb) = read_file('/proc/meminfo') =~ /^MemAvailable:\s+(\d+)/m;

    return () if $kb * 1024 > 5 * $bytes;

    print STDERR "    memory is short, the engine is on the disk\n";
    $Place = File::Temp->newdir('engine-XXXXXX',
        DIR => root_dir() . '/build');
    return (data => "$Place");
}


sub one {
    my ($bench, $engine, $how, $name) = @_;

    my $system = $bench->start($name, $how);
    my $reference = $system->reference('large');

    $bench->record("docker-$how", $name,
        timed(sub { $engine->docker('pull', '-q', $reference) }));

    my ($status, $output) = $engine->docker('rmi', $reference);
    die "docker rmi: $output\n" if $status;

    $system->stop();
    return;
}

###############################################################################

1;

###############################################################################
