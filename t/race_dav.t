#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for what several clients do at the same moment, as in race.t, on a local store.

###############################################################################

use warnings;
use strict;

use FindBin;

$ENV{TEST_REGISTRY_STORE} = 'dav';

do "$FindBin::Bin/race.t";
die $@ if $@;

###############################################################################
