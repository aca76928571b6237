package Test::Registry::S3::Errors;

# Copyright (C) The ngx_registry_module authors

# Amazon S3 API Reference, Error responses: what S3 says with which status.

###############################################################################

use warnings;
use strict;

# code => [ status, message, elements, headers ]

our %Errors = (
    AccessDenied => [ 403, 'Access Denied' ],
    AuthorizationHeaderMalformed => [ 400, 'The authorization header is '
        . "malformed; the region 'eu-central-1' is wrong; expecting "
        . "'us-west-2'", { Region => 'us-west-2' } ],
    BadDigest => [ 400, 'The Content-MD5 or checksum value that you '
        . 'specified did not match what the server received.' ],
    EntityTooSmall => [ 400, 'Your proposed upload is smaller than the '
        . 'minimum allowed size' ],
    ExpiredToken => [ 400, 'The provided token has expired.' ],
    InternalError => [ 500, 'We encountered an internal error. Please try '
        . 'again.' ],
    InvalidAccessKeyId => [ 403, 'The AWS Access Key Id you provided does '
        . 'not exist in our records.' ],
    InvalidArgument => [ 400, 'Invalid Argument' ],
    InvalidPart => [ 400, 'One or more of the specified parts could not be '
        . 'found.' ],
    InvalidPartOrder => [ 400, 'The list of parts was not in ascending '
        . 'order.' ],
    InvalidObjectState => [ 403, 'The operation is not valid for the '
        . "object's storage class", { StorageClass => 'GLACIER' } ],
    InvalidRange => [ 416, 'The requested range is not satisfiable' ],
    InvalidToken => [ 400, 'The provided token is malformed or otherwise '
        . 'invalid.' ],
    MethodNotAllowed => [ 405, 'The specified method is not allowed against '
        . 'this resource.' ],
    NoSuchBucket => [ 404, 'The specified bucket does not exist' ],
    NoSuchKey => [ 404, 'The specified key does not exist.' ],
    NoSuchUpload => [ 404, 'The specified upload does not exist.' ],
    NotImplemented => [ 501, 'A header you provided implies functionality '
        . 'that is not implemented' ],
    PermanentRedirect => [ 301, 'The bucket you are attempting to access '
        . 'must be addressed using the specified endpoint. Please send all '
        . 'future requests to this endpoint.',
        { Endpoint => 's3.us-west-2.amazonaws.com' },
        { 'x-amz-bucket-region' => 'us-west-2' } ],
    PreconditionFailed => [ 412, 'At least one of the pre-conditions you '
        . 'specified did not hold' ],
    RequestTimeTooSkewed => [ 403, 'The difference between the request time '
        . 'and the current time is too large.',
        { MaxAllowedSkewMilliseconds => 900000 } ],
    RequestTimeout => [ 400, 'Your socket connection to the server was not '
        . 'read from or written to within the timeout period.' ],
    ServiceUnavailable => [ 503, 'Service is unable to handle request.' ],
    SignatureDoesNotMatch => [ 403, 'The request signature we calculated '
        . 'does not match the signature you provided.' ],
    SlowDown => [ 503, 'Please reduce your request rate.' ],
    TemporaryRedirect => [ 307, 'Please re-send this request to the '
        . 'specified temporary endpoint.',
        { Endpoint => 'images.s3-us-west-2.amazonaws.com' },
        { Location => 'http://127.0.0.1:1/elsewhere' } ],
    ThrottlingException => [ 400, 'You have exceeded the rate at which you '
        . 'may call KMS. Reduce the frequency of your calls.' ],
);

# what KMS denies looks like any other denial, but for the message

our $KmsMessage = 'User: arn:aws:sts::111122223333:assumed-role/node/i-0abc '
    . 'is not authorized to perform: kms:Decrypt on resource: '
    . 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd because no '
    . 'identity-based policy allows the kms:Decrypt action';

our %Reasons = (
    200 => 'OK', 204 => 'No Content', 206 => 'Partial Content',
    301 => 'Moved Permanently', 304 => 'Not Modified',
    307 => 'Temporary Redirect', 400 => 'Bad Request', 403 => 'Forbidden',
    404 => 'Not Found', 405 => 'Method Not Allowed',
    412 => 'Precondition Failed', 416 => 'Requested Range Not Satisfiable',
    500 => 'Internal Server Error', 501 => 'Not Implemented',
    502 => 'Bad Gateway', 503 => 'Slow Down', 504 => 'Gateway Timeout',
);

###############################################################################

sub escape {
    my ($s) = @_;

    $s =~ s/&/&amp;/g;
    $s =~ s/</&lt;/g;
    $s =~ s/>/&gt;/g;
    return $s;
}


sub document {
    my ($code, $message, $elements, $request_id, $host_id) = @_;

    my %e = (%{$elements // {}});

    return qq{<?xml version="1.0" encoding="UTF-8"?>\n<Error>}
        . "<Code>$code</Code><Message>" . escape($message) . '</Message>'
        . join('', map { "<$_>" . escape($e{$_}) . "</$_>" } sort keys %e)
        . "<RequestId>$request_id</RequestId><HostId>$host_id</HostId>"
        . '</Error>';
}

###############################################################################

1;

###############################################################################
