package Bench::System::Distribution;

# Copyright (C) The ngx_registry_module authors

# CNCF distribution, version 3 or Debian's.

###############################################################################

use warnings;
use strict;

use parent -norequire, 'Bench::System';

use Test::Registry::Distribution;

###############################################################################

# s3; program; redirect; address, port, wrap

sub start {
    my ($class, %opt) = @_;

    my $self = bless { %opt }, $class;

    $self->{d} = Test::Registry::Distribution->new($opt{s3}, %opt);
    $self->{port} = $self->{d}->port;

    return $self;
}


sub pids { $_[0]{d}->pid }
sub all_pids { $_[0]{d}->pid }
sub stop { $_[0]{d}->stop() }

###############################################################################

1;

###############################################################################
