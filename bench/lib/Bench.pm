package Bench;

# Copyright (C) The ngx_registry_module authors

# One run: the S3 server with the front before it, what is in the bucket, the
# rounds, the figures.

###############################################################################

use warnings;
use strict;

use Time::HiRes qw/ time /;

use Test::Registry::Endpoint;
use Test::Registry::Front;
use Test::Registry::Gateway;

use Bench::Content qw/ put_blob put_image /;
use Bench::Results;
use Bench::System qw/ start_system /;

my $MiB = 1048576;

# What is measured with, in a run that means it and in one that only shows
# that everything works.

my %Sizes = (
    blob    => [ 512 * $MiB, 16 * $MiB ],   # the large layer
    small   => [ 64 * $MiB, 2 * $MiB ],     # of those that are distinct
    clients => [ 50, 6 ],                   # at once
    rate    => [ 20_000_000, 4_000_000 ],   # bytes a second of a slow client
    warm    => [ 8, 3 ],                    # downloads in a row
    seconds => [ 5, 1 ],                    # of wrk
    layer   => [ 2_000_000, 100_000 ],      # ten layers: one of it to ten
    pull    => [ 3 * 1024 / 10 * $MiB, 2 * $MiB ],  # each of ten layers
    push    => [ 512 * $MiB, 16 * $MiB ],
    silent  => [ 4096 * $MiB, 32 * $MiB ],  # push of a very large blob
    disk    => [ 1024, 32 ],                # MiB written
    hosts   => [ 20, 4 ],
    fanout  => [ 100_000_000, 4_000_000 ],  # the image
    link    => [ 100, 100 ],                # Mbit/s of a host
);

###############################################################################

# rounds; quick; sizes => { name => value }

sub new {
    my ($class, %opt) = @_;

    my $which = $opt{quick} ? 1 : 0;

    return bless {
        rounds => $opt{rounds} // ($opt{quick} ? 1 : 5),
        sizes => { (map { $_ => $Sizes{$_}[$which] } keys %Sizes),
            %{$opt{sizes} // {}} },
        results => Bench::Results->new(), manifests => {}
    }, $class;
}


sub results { $_[0]{results} }
sub size { $_[0]{sizes}{$_[1]} }


sub mib { my ($self, $name) = @_;
    return $self->size($name) / $MiB . ' MiB';
}


# Rounds of a measure that takes long are fewer.

sub some { my ($self, $most) = @_;
    return $self->{rounds} < $most ? $self->{rounds} : $most;
}


sub record {
    my ($self, @args) = @_;

    $self->{results}->record(@args);
    return;
}

###############################################################################

sub gateway {
    my ($self) = @_;

    return $self->{gateway} //= Test::Registry::Gateway->new(local => 1);
}


# The bandwidth of one connection to S3 is what "limited" is about; "counted"
# has none, and is for what counts requests or bytes.

sub front {
    my ($self) = @_;

    return $self->{front} //= Test::Registry::Front->new($self->gateway,
        rates => { limited => 50_000_000, counted => 0 });
}


# S3 as a system reaches it: limited, counted, or direct

sub s3 {
    my ($self, $how) = @_;

    return $how eq 'direct'
        ? Test::Registry::Endpoint->new($self->gateway, $self->gateway->endpoint)
        : $self->front->endpoint($how);
}


sub start {
    my ($self, $name, $how, %opt) = @_;

    return start_system($name, s3 => $self->s3($how),
        gateway => $self->gateway, manifests => $self->{manifests}, %opt);
}


# The large blob; the image of ten layers under the tag "ten".

sub blob {
    my ($self) = @_;

    return $self->{blob} //= put_blob($self->gateway, $self->size('blob'));
}


sub image {
    my ($self) = @_;

    return $self->{image} if $self->{image};

    my $image = $self->{image} = put_image($self->gateway, 'ten',
        layers => [ map { $_ * $self->size('layer') } 1 .. 10 ]);

    $self->{manifests}{ten} = $image->digest;
    return $image;
}

###############################################################################

# Calls $code with each name, $rounds times; who is first in a round is last in
# the next.

sub interleave {
    my ($self, $rounds, $names, $code) = @_;

    my @names = @$names;

    for my $round (1 .. $rounds) {
        for my $name (@names) {
            my $begun = time();
            $code->($name, $round);
            printf STDERR "    round %d, %-13s %6.1f s\n", $round, $name,
                time() - $begun;
        }

        push @names, shift @names;
    }

    return;
}

###############################################################################

1;

###############################################################################
