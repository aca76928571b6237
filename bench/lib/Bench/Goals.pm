package Bench::Goals;

# Copyright (C) The ngx_registry_module authors

# What the project promises of its speed.  Each has a text, a function that
# takes it from the results (nothing if it was not measured), and a limit.

###############################################################################

use warnings;
use strict;

###############################################################################

sub all {
    return (
        { text => 'cold blob, S3 at 50 MB/s for each connection: throughput, '
            . 'ours to distribution', least => 8,
            value => ratio('cold-limited', 'ours', 'distribution') },
        { text => 'cold blob, S3 unlimited: throughput, ours to distribution',
            least => 0.8, value => ratio('cold', 'ours', 'distribution') },
        { text => 'warm blob: throughput, ours to nginx serving the file',
            least => 0.9, value => ratio('warm', 'ours', 'plain') },
        { text => 'warm blob: throughput, ours to distribution',
            least => 1.8, value => ratio('warm', 'ours', 'distribution') },
        { text => 'warm blob: CPU for each GB, ours to nginx serving the file',
            most => 1.25, value => ratio('warm-cpu', 'ours', 'plain') },
        { text => 'manifest by tag: requests a second, ours to nginx serving '
            . 'the file', least => 0.6,
            value => ratio('manifest-tag', 'ours', 'plain') },
        { text => 'manifest by tag: requests a second, ours to distribution',
            least => 15,
            value => ratio('manifest-tag', 'ours', 'distribution') },
        { text => 'manifest by tag: p99, ours to nginx serving the file',
            most => 2, value => ratio('manifest-tag-p99', 'ours', 'plain') },
        { text => 'idle: MiB of master and two workers', most => 12,
            value => median('memory-idle') },
        { text => 'one cold blob, 50 clients of 20 MB/s: MiB', most => 64,
            value => median('memory-one') },
        { text => 'distinct cold blobs, 50 clients: MiB', most => 128,
            value => median('memory-distinct') },
        { text => 'one cold blob, 50 clients: bytes of S3, in copies of the '
            . 'blob', most => 1.05, value => median('crowd-bytes') },
        { text => 'one cold blob, 50 clients: throughput, ours to nginx '
            . 'serving the file', least => 0.7,
            value => ratio('crowd', 'ours', 'plain') },
        { text => 'cold blob, cache on a slow disk: seconds, to those '
            . 'without a cache', most => 1.3,
            value => within('slowdisk', 'sync', 'uncached') },
        { text => 'warm manifest meanwhile: p99, to that without a cache',
            most => 2, value => within('slowdisk-manifest', 'sync',
                'uncached') },
        { text => 'fan-out: seconds of all hosts, each with its registry, to '
            . 'those of one host', most => 1.15,
            value => within('fanout', 'hosts', 'one') },
        { text => 'fan-out: seconds with one central registry (ours) to those '
            . 'of one host', least => 15,
            value => within('fanout', 'central', 'one') },
    );
}


sub ratio {
    my ($id, $name, $other) = @_;
    return sub { $_[0]->ratio($id, $name, $other) };
}


sub within { my (@args) = @_; return ratio(@args) }


sub median {
    my ($id) = @_;
    return sub { $_[0]->median($id, 'ours') };
}

###############################################################################

1;

###############################################################################
