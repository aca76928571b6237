package Bench::Content;

# Copyright (C) The ngx_registry_module authors

# Fills the bucket: blobs of any size and images, as distribution lays them
# out.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;
use HTTP::Tiny;

use Test::Registry::Image;
use Test::Registry::Layout;
use Test::Registry::SigV4;
use Test::Registry::Util qw/
    temp_dir find_tool run_command random_bytes
/;

our @EXPORT_OK = qw/ make_blob put_blob put_image remove_blob /;

our $REPOSITORY = 'team/bench';

my $Count = 0;
my $MiB = 1048576;

###############################################################################

# A file of random bytes, no two alike: path, size, digest.

sub make_blob {
    my ($size) = @_;

    my $path = temp_dir('blobs') . '/made.' . ++$Count;
    my $piece = random_bytes($MiB, "blob $Count");

    open my $fh, '>:raw', $path or die "$path: $!\n";

    for (my $n = 0; $n * $MiB < $size; $n++) {
        substr $piece, 0, 8, pack 'N2', $Count, $n;
        my $left = $size - $n * $MiB;
        print {$fh} $left < $MiB ? substr($piece, 0, $left) : $piece;
    }

    close $fh or die "$path: $!\n";

    # openssl uses what the CPU has for it

    my ($status, $output) = run_command([find_tool('openssl'), 'dgst',
        '-sha256', '-r', $path], timeout => 600);
    my ($hex) = $output =~ /^([0-9a-f]{64}) / or die "openssl: $output\n";

    return { path => $path, size => $size, digest => "sha256:$hex" };
}


# Such a blob in the bucket, and a member of the repository.

sub put_blob {
    my ($s3, $size) = @_;

    my $layout = Test::Registry::Layout->new($s3);
    my $blob = make_blob($size);

    put_file($s3, $layout->blob_key($blob->{digest}), $blob);
    unlink delete $blob->{path};

    $layout->put($layout->layer_key($REPOSITORY, $blob->{digest}),
        $blob->{digest});
    return $blob;
}


# An image and its tag: a Test::Registry::Image.  With forget => 1 the files
# that it was made of are removed.

sub put_image {
    my ($s3, $tag, %opt) = @_;

    my $image = Test::Registry::Image->new(layers => $opt{layers},
        seed => $tag);
    my $layout = Test::Registry::Layout->new($s3);

    for my $blob ($image->blobs) {
        put_file($s3, $layout->blob_key($blob->{digest}),
            { %$blob, path => $blob->{file} });
        $layout->put($layout->layer_key($REPOSITORY, $blob->{digest}),
            $blob->{digest});
        unlink $blob->{file} if $opt{forget};
    }

    $layout->manifest($REPOSITORY, $image->manifest, $tag);
    return $image;
}


# From disk, without having it in memory.

sub put_file {
    my ($s3, $key, $blob) = @_;

    my ($host) = $s3->endpoint =~ m{^http://([^/]+)};
    my ($target, $headers) = Test::Registry::SigV4::sign(method => 'PUT',
        host => $host, path => '/' . $s3->bucket . "/$key",
        sha256 => substr($blob->{digest}, 7), region => $s3->region,
        access_key => $s3->access_key, secret_key => $s3->secret_key);

    delete $headers->{host};
    $headers->{'content-length'} = $blob->{size};

    open my $fh, '<:raw', $blob->{path} or die "$blob->{path}: $!\n";

    my $r = HTTP::Tiny->new(timeout => 120)->request('PUT',
        "http://$host$target", { headers => $headers, content => sub {
            my $n = read $fh, my $data, 262144;
            return $n ? $data : undef;
        } });

    die "S3 PUT $key: $r->{status} $r->{content}\n" unless $r->{success};
    return;
}


sub remove_blob {
    my ($s3, $blob) = @_;

    my $layout = Test::Registry::Layout->new($s3);

    $s3->delete($layout->blob_key($blob->{digest}));
    return;
}

###############################################################################

1;

###############################################################################
