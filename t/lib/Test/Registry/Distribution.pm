package Test::Registry::Distribution;

# Copyright (C) The ngx_registry_module authors

# CNCF distribution on the same bucket or directory, version 2 as Debian ships it or version
# 3: what it has pushed we must serve, what we have pushed it must.

###############################################################################

use warnings;
use strict;

use Test::Registry::Util qw/
    temp_dir free_port find_tool need spawn wait_for port_open clean_env
    read_file write_file run_command
/;

my $Count = 0;

###############################################################################

# A registry whose storage is the bucket of $s3, a Test::Registry::Gateway, or
# a Test::Registry::Directory.
# program: "docker-registry" (version 2), "registry" (version 3); prefix;
# redirect: clients are sent to S3; address, port; wrap: a command that runs it

sub new {
    my ($class, $s3, %opt) = @_;

    my $program = $opt{program} // 'docker-registry';
    need($program);

    my $self = bless {
        program => $program, port => $opt{port} // free_port(),
        address => $opt{address} // '127.0.0.1',
        dir => temp_dir('distribution-' . $Count++)
    }, $class;

    my $driver = $s3->can('path') ? filesystem($s3) : s3($s3, %opt);

    write_file("$self->{dir}/config.yml", <<"CONFIG");
version: 0.1
log:
  level: warn
  accesslog:
    disabled: true
storage:
@{[ $driver =~ s/^/  /gmr =~ s/\s+$//r ]}
  redirect:
    disable: @{[ $opt{redirect} ? 'false' : 'true' ]}
  delete:
    enabled: true
  maintenance:
    uploadpurging:
      enabled: false
http:
  addr: $self->{address}:$self->{port}
  secret: the-secret-of-a-test
CONFIG

    # clean_env leaves AWS_CA_BUNDLE out, with which this does not start

    $self->{process} = spawn([@{$opt{wrap} // []}, find_tool($program),
        'serve', "$self->{dir}/config.yml"], log => "$self->{dir}/log",
        env => clean_env());

    wait_for(sub { port_open($self->{port}, $self->{address}) }, 20)
        or die "$program does not start: " . read_file("$self->{dir}/log");

    return $self;
}


sub filesystem {
    my ($store) = @_;

    return "filesystem:\n  rootdirectory: " . $store->path . "\n";
}


sub s3 {
    my ($s3, %opt) = @_;

    my $prefix = $opt{prefix} // $s3->prefix;
    my $root = length $prefix ? "rootdirectory: /$prefix" : '';
    my $secure = $s3->endpoint =~ /^https/ ? 'true' : 'false';

    return <<"CONFIG";
s3:
  bucket: @{[ $s3->bucket ]}
  region: @{[ $s3->region ]}
  regionendpoint: @{[ $s3->endpoint ]}
  accesskey: "@{[ $s3->access_key ]}"
  secretkey: "@{[ $s3->secret_key ]}"
  secure: $secure
  v4auth: true
  chunksize: 67108864
  multipartcopythresholdsize: 5368709120
  forcepathstyle: true
  $root
CONFIG
}


# What the collector of garbage would do: exit status and output.

sub garbage_collect {
    my ($self) = @_;

    return run_command([find_tool($self->{program}), 'garbage-collect',
        '--dry-run', "$self->{dir}/config.yml"], env => clean_env());
}


sub port { $_[0]{port} }
sub pid { $_[0]{process}{pid} }
sub stop { $_[0]{process}->stop() }
sub log { read_file("$_[0]{dir}/log") }

###############################################################################

1;

###############################################################################
