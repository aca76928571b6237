package Bench::Results;

# Copyright (C) The ngx_registry_module authors

# The figures of a run: for each table the values of each system, of which the
# median counts.

###############################################################################

use warnings;
use strict;

use JSON::PP ();

###############################################################################

sub new { my ($class) = @_;
    return bless { tables => [], values => {}, failed => {} }, $class;
}


# id; title; unit; more: large values are good; note

sub table {
    my ($self, %table) = @_;

    push @{$self->{tables}}, { %table };
    return;
}


sub record {
    my ($self, $id, $name, $value) = @_;

    die "no table $id\n" unless grep { $_->{id} eq $id } @{$self->{tables}};

    push @{$self->{values}{$id}{$name}}, $value;
    return;
}


sub failed {
    my ($self, $measure, $why) = @_;

    $self->{failed}{$measure} = $why;
    return;
}


sub tables { grep { $_[0]{values}{$_->{id}} } @{$_[0]{tables}} }
sub failures { $_[0]{failed} }


# The systems that a table has figures of, in the order of $names.

sub systems {
    my ($self, $id, @names) = @_;

    my $values = $self->{values}{$id} // {};
    my %known = map { $_ => 1 } @names;

    return ((grep { $values->{$_} } @names),
        sort grep { !$known{$_} } keys %$values);
}

###############################################################################

sub sorted {
    my ($self, $id, $name) = @_;

    return sort { $a <=> $b } @{$self->{values}{$id}{$name} // []};
}


sub min { my ($self, @what) = @_; return ($self->sorted(@what))[0] }
sub max { my ($self, @what) = @_; return ($self->sorted(@what))[-1] }


sub median {
    my ($self, $id, $name) = @_;

    my @sorted = $self->sorted($id, $name) or return;
    my $half = int @sorted / 2;

    return @sorted % 2 ? $sorted[$half]
        : ($sorted[$half - 1] + $sorted[$half]) / 2;
}


# $name's median divided by $other's; nothing if one was not measured.

sub ratio {
    my ($self, $id, $name, $other) = @_;

    my ($x, $y) = ($self->median($id, $name), $self->median($id, $other));

    return defined $x && $y ? $x / $y : undef;
}


# How many times as good as $name $ours is.

sub advantage {
    my ($self, $table, $name, $ours) = @_;

    return $table->{more} ? $self->ratio($table->{id}, $ours, $name)
        : $self->ratio($table->{id}, $name, $ours);
}


sub json {
    my ($self, %more) = @_;

    return JSON::PP->new->utf8->canonical->pretty->encode({
        tables => $self->{tables}, values => $self->{values},
        failed => $self->{failed}, %more });
}

###############################################################################

1;

###############################################################################
