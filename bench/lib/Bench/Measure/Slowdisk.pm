package Bench::Measure::Slowdisk;

# Copyright (C) The ngx_registry_module authors

# A large cold blob with the cache on a disk that is slower than S3 (a file
# system mounted "sync"), beside one without a cache of blobs; and what a
# manifest that is warm takes meanwhile.

###############################################################################

use warnings;
use strict;

use Bench::Client qw/ crowd first_bytes /;

###############################################################################

sub needs { return qw/ root netns mkfs.ext4 mount / }


sub run {
    my ($bench) = @_;

    my $results = $bench->results;

    $results->table(id => 'slowdisk', unit => 's', title => 'Cold blob of '
        . $bench->mib('blob') . ', S3 unlimited, the cache on a slow disk',
        note => 'The disk is a file system in a file, mounted "sync".');
    $results->table(id => 'slowdisk-manifest', unit => 'ms',
        title => 'Warm manifest by tag while that blob is pulled: 99 of 100 '
            . 'are below');

    $bench->image;
    $bench->interleave($bench->{rounds}, [qw/ sync uncached /], sub {
        one($bench, @_) });
    return;
}


sub one {
    my ($bench, $name) = @_;

    my $blob = $bench->blob;
    my $size = length $bench->image->manifest;
    my $system = $bench->start($name, 'direct');
    my $manifest = $system->manifest_url('ten');
    my @seconds;

    first_bytes($size, ($manifest) x 5);

    my $pull = crowd($blob->{size}, [ $system->blob_url($blob->{digest}) ],
        sample => sub {
            push @seconds, first_bytes($size, ($manifest) x 20);
        });

    @seconds = sort { $a <=> $b } @seconds;

    $bench->record('slowdisk', $name, $pull);
    $bench->record('slowdisk-manifest', $name,
        1000 * $seconds[int(0.99 * @seconds)]);

    $system->stop();
    return;
}

###############################################################################

1;

###############################################################################
