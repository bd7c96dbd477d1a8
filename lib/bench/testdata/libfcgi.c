/* An empty handler of the C library libfcgi: libfcgi SOCKET THREADS LENGTH
   answers each request on SOCKET with LENGTH bytes of STDOUT made before. */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int listener;
static int length;
static char *answer;

static void *serve(void *unused)
{
	FCGX_Request request;
	char body[4096];

	(void)unused;
	FCGX_InitRequest(&request, listener, 0);
	while (FCGX_Accept_r(&request) == 0) {
		while (FCGX_GetStr(body, sizeof body, request.in) == sizeof body)
			;
		FCGX_PutStr(answer, length, request.out);
		FCGX_Finish_r(&request);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int i, threads, header;
	pthread_t thread;

	if (argc != 4)
		return 2;
	threads = atoi(argv[2]);
	length = atoi(argv[3]);
	answer = malloc(length + 1);
	memset(answer, 'x', length);
	header = sprintf(answer, "Content-Type: application/ocsp-response\r\nContent-Length: %d\r\n\r\n", length);
	header = sprintf(answer, "Content-Type: application/ocsp-response\r\nContent-Length: %d\r\n\r\n", length - header);
	answer[header] = 'x';
	if (FCGX_Init() != 0 || (listener = FCGX_OpenSocket(argv[1], 511)) < 0 || chmod(argv[1], 0666) != 0)
		return 1;
	for (i = 1; i < threads; i++)
		if (pthread_create(&thread, NULL, serve, NULL) != 0)
			return 1;
	serve(NULL);
	return 1;
}
